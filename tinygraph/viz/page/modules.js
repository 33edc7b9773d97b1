// Modules open and close: every set of open modules that can be shown was laid out beforehand.

function toggleScope(scope) {
  if (state.view.open.includes(scope)) closeScope(scope);
  else openScope(scope);
}

function openScope(scope) {
  const wanted = new Set(state.view.open);
  for (let s = scope; s !== null; s = state.graph.scopes[s].parent) wanted.add(s);
  const goal = nearest(wanted, (view) => view.open.includes(scope));
  if (goal) changeView(goal, scope);
}

function closeScope(scope) {
  const within = (s) => s !== null && (s === scope || within(state.graph.scopes[s].parent));
  const wanted = new Set(state.view.open.filter((s) => !within(s)));
  const goal = nearest(wanted, (view) => !view.open.includes(scope));
  if (goal) changeView(goal, scope);
}

// The view that fulfils a condition and otherwise differs least from what is wanted.
function nearest(wanted, fits) {
  const distance = (view) => {
    const common = view.open.filter((s) => wanted.has(s)).length;
    return view.open.length + wanted.size - 2 * common;
  };
  const found = state.graph.views.filter(fits);
  return found.sort((a, b) => distance(a) - distance(b))[0];
}

function changeView(view, scope) {
  if (view === state.view) return;
  pause();
  const opened = view.open.includes(scope);
  const before = corner(scope);
  const position = samePosition(view, scope);
  const others = state.view.open.filter((s) => s !== scope && !view.open.includes(s)
    && !isInside(s, scope));
  const wasFitted = camera.fitted;
  state.view = view;
  state.position = position;
  state.hovered = state.pinned = null;
  buildScene();
  showStep();
  colourCards();
  keepPlace(before, corner(scope), scope, wasFitted);
  focusCard(opened ? firstInside(scope) : `s${scope}`);
  const title = state.graph.scopes[scope].title;
  const closed = others.map((s) => state.graph.scopes[s].title).join(", ");
  say(`${title} is ${opened ? "open" : "closed"}.${closed ? ` Closed to make room: ${closed}.` : ""}`);
}

function isInside(scope, outer) {
  for (let s = scope; s !== null; s = state.graph.scopes[s].parent) if (s === outer) return true;
  return false;
}

// The upper left corner of a module, open or closed.
function corner(scope) {
  const box = scene.scopes.get(scope) ?? boxOf(`s${scope}`);
  return box && { x: box[0], y: box[1] };
}

// What was clicked stays where it was; then what was opened comes into sight.
function keepPlace(before, after, scope, wasFitted) {
  if (before && after) {
    const { x, y, k } = camera;
    cancelAnimationFrame(camera.frame);
    place(x + (before.x - after.x) * k, y + (before.y - after.y) * k, k);
  }
  const whole = [0, 0, ...scene.layout.size];
  camera.fitted = false;
  if (isInSight(whole) || nudge(whole)) return;
  if (wasFitted && fitting(whole)[2] >= READABLE) return fit();
  const box = scene.scopes.get(scope);
  if (box) reveal([box]);
}

// The step at which to be in another view: the same one, or one about the same card.
function samePosition(view, scope) {
  const { steps } = state.graph;
  const current = state.view.steps[state.position];
  const same = view.steps.indexOf(current);
  if (same >= 0) return same;
  const at = steps[current];
  const phase = view.steps.map((s, i) => [steps[s], i]).filter(([other]) => other.phase === at.phase);
  const shown = new Set(view.cards);
  const about = phase.find(([other]) => other.card === at.card || other.card === `s${scope}`)
    ?? phase.find(([other]) => !shown.has(at.card) && isInsideScope(other.card, scope, view));
  const [, position] = about ?? phase[Math.floor(phase.length / 2)] ?? [null, 0];
  return position;
}

function isInsideScope(card, scope, view) {
  const home = view.homes[view.cards.indexOf(card)];
  return home !== null && home !== undefined && isInside(home, scope);
}

function firstInside(scope) {
  return state.view.cards.find((id, i) => isInside(state.view.homes[i], scope)) ?? state.view.cards[0];
}

function say(text) {
  const note = make("p", { class: "note" }, text);
  $("said").querySelector(".note")?.remove();
  $("said").append(note);
  setTimeout(() => note.remove(), 4000);
}

// ---- another graph, another direction ---------------------------------------------------------------

function showGraph(graph) {
  pause();
  state.graph = graph;
  state.direction = bestDirection(graph);
  state.position = 0;
  state.hovered = state.pinned = null;
  scene.cards.clear();
  state.view = graph.views[0];
  buildScene();
  showStep();
  showOverlay(state.overlay);
  fit(false);
}

// Numbers read from left to right, modules from top to bottom, unless that is hard to see.
function bestDirection(graph) {
  const scale = (direction) => fitting([0, 0, ...graph.views[0].layouts[direction].size])[2];
  const other = graph.direction === "LR" ? "TB" : "LR";
  return scale(other) > 1.15 * scale(graph.direction) ? other : graph.direction;
}

function turn() {
  state.direction = state.direction === "LR" ? "TB" : "LR";
  buildScene();
  showStep();
  colourCards();
  fit();
}
