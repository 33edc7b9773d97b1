// Steps: what is lit, faded and written at a position, and the way from one to the next.

const pace = { timer: 0, speed: 1 };
const PAUSE = 1900;

function go(position, { follow = true } = {}) {
  const last = state.view.steps.length - 1;
  state.position = Math.max(0, Math.min(last, position));
  state.pinned = null;
  showStep();
  if (follow) reveal(boxesOf(step()));
}

function boxesOf(at) {
  const ids = at.phase === "backward" ? [at.card, scene.shownAt.get(at.to)]
    : at.phase === "seed" ? [scene.shownAt.get(at.to)] : at.phase === "forward" ? [at.card] : [];
  return ids.map(boxOf).filter(Boolean);
}

// Everything that depends on the position.
function showStep() {
  const at = step();
  const known = history();
  for (const entry of scene.cards.values()) showCard(entry, at, known);
  for (const edge of scene.edges) showEdge(edge, at, known);
  $("stage").dataset.phase = at.phase;
  showControls(at);
  showPanel(at);
  setTabStop();
}

// What happened up to now: values that are computed, gradients so far, edges that were passed.
function history() {
  const { view, graph, position } = state;
  const made = new Set();
  const gradients = new Map();
  const passed = new Set();
  const whole = isWhole(step());
  const end = whole ? view.steps.length : position + 1;
  let turned = whole;
  for (let i = 0; i < end; i++) {
    const past = graph.steps[view.steps[i]];
    if (past.phase === "forward") made.add(past.card);
    if (past.phase === "seed") turned = true;
    if (past.to) gradients.set(past.to, past);
    if (past.phase === "backward") passed.add(edgeKey(past.card, past.to, past.position));
  }
  return { made, gradients, passed, turned, whole };
}

function isWhole(at) {
  return at.phase === "overview" || at.phase === "results";
}

function edgeKey(target, tensor, position) {
  return `${target} ${tensor} ${position}`;
}

function showCard(entry, at, known) {
  const { card, id, node } = entry;
  const reached = card.exits.some((tensor) => known.gradients.has(tensor));
  const there = card.kind === "leaf" || known.made.has(id) || known.turned;
  const isNow = at.phase === "forward" ? at.card === id
    : Boolean(at.to) && scene.shownAt.get(at.to) === id;
  const reads = Boolean(at.reads) && at.reads.some((tensor) => scene.shownAt.get(tensor) === id);
  const from = at.phase === "backward" && at.card === id && !isNow;
  const done = known.whole || (known.turned ? reached : there);
  node.classList.toggle("now", isNow);
  node.classList.toggle("from", from);
  node.classList.toggle("reads", reads && !isNow);
  node.classList.toggle("todo", !(done || isNow || reads || from));
  node.classList.toggle("unknown", !there);
  showGradient(entry, known);
  set(entry.face, "aria-label", cardLabel(entry, known, { isNow, reads, from, there }));
}

function showGradient(entry, known) {
  const { gradient, exits } = entry.card;
  if (!gradient) return;
  if (gradient.content === null) return setGradient(entry, gradient.text, null, true);
  const so_far = known.gradients.get(exits[0]);
  if (!so_far) return setGradient(entry, entry.gradient.brief ? "" : "—", null, true);
  setGradient(entry, so_far.sum ?? "", gradient.table ? so_far.after : null, false);
}

// What a screen reader says about a card.
function cardLabel(entry, known, { isNow, reads, from, there }) {
  const { card } = entry;
  const parts = [card.header, card.note, ...card.lines];
  const value = item(card.value);
  if (value && there) parts.push(`value ${spoken(value)}`);
  const tensor = card.exits[0];
  const so_far = card.exits.length === 1 && known.gradients.get(tensor);
  if (so_far) parts.push(`gradient ${so_far.sum || spoken(item(so_far.after))}`);
  if (isNow) parts.push("changes now");
  if (from) parts.push("the gradient comes from here");
  if (reads) parts.push("needed now");
  if (card.opens !== undefined) parts.push("closed, O opens it");
  return parts.filter(Boolean).join(", ");
}

function spoken(content) {
  return content.kind === "table" ? content.rows.map((row) => row.join(" ")).join("; ")
    : content.text;
}

function showEdge(edge, at, known) {
  const key = edgeKey(edge.target, edge.tensor, edge.position);
  const isNow = at.phase === "backward" && key === edgeKey(at.card, at.to, at.position);
  const feeds = at.phase === "forward" && at.card === edge.target;
  const there = known.turned || known.made.has(edge.target);
  edge.node.classList.toggle("now", isNow);
  edge.node.classList.toggle("feeds", feeds);
  edge.node.classList.toggle("passed", known.passed.has(key));
  edge.node.classList.toggle("dead", known.passed.has(key) && deadEdges(state.view).has(key));
  const faint = known.turned && !known.whole ? !known.passed.has(key) : !there;
  edge.node.classList.toggle("todo", faint && !isNow);
}

// Edges along which nothing flows back: the local derivative is 0.
function deadEdges(view) {
  view.dead ??= new Set(view.steps.map((s) => state.graph.steps[s]).filter((at) => at.dead)
    .map((at) => edgeKey(at.card, at.to, at.position)));
  return view.dead;
}

// ---- jumps ---------------------------------------------------------------------------------------

function positionsOf(wanted) {
  return state.view.steps.map((s, i) => [state.graph.steps[s], i])
    .filter(([at]) => wanted(at)).map(([, i]) => i);
}

function jumpToEdge(target, tensor, position) {
  const [found] = positionsOf((at) => at.phase === "backward" && at.card === target
    && at.to === tensor && at.position === position);
  if (found !== undefined) go(found);
}

// To the step that computes a card; again, to those that bring its gradient.
function jumpToCard(id) {
  const { exits } = scene.cards.get(id).card;
  const places = positionsOf((at) => (at.phase === "forward" && at.card === id)
    || (at.phase === "seed" && exits.includes(at.to))
    || (at.phase === "backward" && exits.includes(at.to))
    || (at.phase === "given" && scene.cards.get(id).card.kind === "leaf"));
  const next = places.find((i) => i > state.position);
  if (places.length) go(next ?? places[0]);
}

// ---- play ----------------------------------------------------------------------------------------

function playing() {
  return pace.timer !== 0;
}

function pause() {
  clearTimeout(pace.timer);
  pace.timer = 0;
  document.body.classList.remove("playing");
  $("play").setAttribute("aria-label", "Play");
}

function play() {
  if (state.position === state.view.steps.length - 1) go(0);
  document.body.classList.add("playing");
  $("play").setAttribute("aria-label", "Pause");
  const tick = () => {
    go(state.position + 1);
    if (state.position === state.view.steps.length - 1) pause();
    else pace.timer = setTimeout(tick, PAUSE / pace.speed);
  };
  pace.timer = setTimeout(tick, 300 / pace.speed);
}

function showControls(at) {
  const last = state.view.steps.length - 1;
  const slider = $("position");
  slider.max = last;
  slider.value = state.position;
  const where = at.number ? `Step ${at.number} of ${at.of}` : at.title;
  slider.setAttribute("aria-valuetext", at.number ? `${where}, ${at.phase}` : where);
  $("count").textContent = at.number ? `${at.number} / ${at.of}` : "";
  $("first").disabled = $("back").disabled = state.position === 0;
  $("next").disabled = $("last").disabled = state.position === last;
  const seed = state.view.steps.findIndex((s) => state.graph.steps[s].phase === "seed");
  $("track-marks").style.setProperty("--turn", seed / last);
  $("track-marks").style.setProperty("--at", state.position / last);
}
