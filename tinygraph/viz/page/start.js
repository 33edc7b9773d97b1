// Buttons, keys and the first picture.

const SPEEDS = [0.5, 1, 2, 4];

const keys = {
  ArrowRight: () => { pause(); go(state.position + 1); },
  ArrowLeft: () => { pause(); go(state.position - 1); },
  Home: () => { pause(); go(0); },
  End: () => { pause(); go(state.view.steps.length - 1); },
  " ": () => (playing() ? pause() : play()),
  ArrowDown: () => moveFocus(1),
  ArrowUp: () => moveFocus(-1),
  "[": () => setSpeed(-1),
  "]": () => setSpeed(1),
  "/": () => $("search").focus(),
  "+": () => zoom(1.3),
  "=": () => zoom(1.3),
  "-": () => zoom(1 / 1.3),
  f: () => fit(),
  r: () => turn(),
  g: () => showOverlay("gradient"),
  m: () => showOverlay("memory"),
  n: () => showOverlay("none"),
  p: () => toggleExact(),
  d: () => switchTheme(),
  o: () => toggleAround(true),
  c: () => toggleAround(false),
  "?": () => $("help").showModal(),
};

const shifted = { ArrowLeft: [90, 0], ArrowRight: [-90, 0], ArrowUp: [0, 90], ArrowDown: [0, -90] };

function onKey(event) {
  const { target, key } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || $("help").open) return;
  if (target === $("search")) return searchKey(event);
  if (target.matches?.("select")) return;
  if (target.matches?.("input[type=range]") && key.startsWith("Arrow")) return;
  const face = target.closest?.(".face, .badge");
  if (face && key === "Enter") {
    if (face.classList.contains("badge")) toggleScope(Number(face.dataset.scope));
    else jumpToCard(face.parentNode.dataset.card);
    return event.preventDefault();
  }
  const isButton = target.matches?.("button");
  if (isButton && (key === " " || key === "Enter")) return;
  if (target === $("panel") && ["ArrowUp", "ArrowDown"].includes(key)) return; // it scrolls
  const action = event.shiftKey && shifted[key] ? () => pan(...shifted[key])
    : keys[key] ?? keys[key.toLowerCase()];
  if (!action) return;
  event.preventDefault();
  action();
}

// ---- focus: one card can be reached by Tab, the arrows go on from there ------------------------------

function focused() {
  return document.activeElement?.closest?.(".card")?.dataset.card;
}

function setTabStop() {
  const wanted = focused() ?? told() ?? state.view.cards[0];
  for (const { id, face } of scene.cards.values()) set(face, "tabindex", id === wanted ? 0 : -1);
}

function focusCard(id) {
  const entry = scene.cards.get(id);
  if (!entry) return;
  entry.face.focus({ preventScroll: true });
  setTabStop();
}

function moveFocus(by) {
  const { cards } = state.view;
  const at = cards.indexOf(focused() ?? told() ?? cards[0]);
  const id = cards[(at + by + cards.length) % cards.length];
  focusCard(id);
  reveal([boxOf(id)]);
}

function toggleAround(opens) {
  const id = focused() ?? told();
  const card = id && state.graph.cards[id];
  if (opens && card?.opens !== undefined) return openScope(card.opens);
  let home = id ? state.view.homes[state.view.cards.indexOf(id)] : null;
  while (home !== null && home !== undefined && !state.graph.scopes[home].opens) {
    home = state.graph.scopes[home].parent;
  }
  if (!opens && home !== null && home !== undefined) closeScope(home);
}

function watchCards() {
  const svg = $("scene");
  const idOf = (event) => event.target.closest(".card")?.dataset.card ?? null;
  const hover = (id) => {
    if (id === state.hovered) return;
    state.hovered = id;
    showStory();
  };
  svg.addEventListener("pointerover", (event) => event.pointerType === "mouse" && hover(idOf(event)));
  svg.addEventListener("pointerleave", () => hover(null));
  svg.addEventListener("focusin", (event) => {
    const id = idOf(event);
    if (id) pin(id);
    setTabStop();
  });
  svg.addEventListener("click", (event) => {
    const id = idOf(event);
    state.pinned = id;
    if (id) focusCard(id);
    showStory();
  });
  svg.addEventListener("dblclick", (event) => {
    const id = idOf(event);
    if (id && state.graph.cards[id].opens !== undefined) openScope(state.graph.cards[id].opens);
  });
}

// ---- controls --------------------------------------------------------------------------------------

function setSpeed(by) {
  const at = SPEEDS.indexOf(pace.speed) + by;
  pace.speed = SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, at))];
  $("speed").value = String(pace.speed);
}

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function switchTheme() {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  nameTheme();
}

function nameTheme() {
  $("theme").textContent = isDark() ? "Light" : "Dark";
}

function listen() {
  const click = (id, action) => $(id).addEventListener("click", action);
  click("first", keys.Home);
  click("back", keys.ArrowLeft);
  click("play", keys[" "]);
  click("next", keys.ArrowRight);
  click("last", keys.End);
  click("zoom-in", keys["+"]);
  click("zoom-out", keys["-"]);
  click("fit", keys.f);
  click("turn", keys.r);
  click("theme", keys.d);
  click("help-open", keys["?"]);
  $("position").addEventListener("input", (event) => { pause(); go(Number(event.target.value)); });
  $("speed").addEventListener("change", (event) => { pace.speed = Number(event.target.value); });
  $("overlay").addEventListener("change", (event) => showOverlay(event.target.value));
  $("search").addEventListener("input", showHits);
  $("search").addEventListener("focusout", (event) => {
    if (!$("hits").contains(event.relatedTarget)) setTimeout(endSearch, 150);
  });
  $("graph").addEventListener("change", (event) => showGraph(page.graphs[Number(event.target.value)]));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", nameTheme);
  addEventListener("keydown", onKey);
}

function start() {
  page.graphs.forEach((graph, i) => $("graph").append(make("option", { value: i }, graph.title)));
  $("graph-choice").hidden = page.graphs.length < 2;
  document.body.classList.toggle("several", page.graphs.length > 1);
  startCamera();
  watchCards();
  listen();
  nameTheme();
  showGraph(page.graphs[0]);
  document.body.dataset.ready = "true";
}

start();
