// The panel: one sentence, the same in symbols and numbers, and the story of a card.

function showPanel(at) {
  const number = at.number ? `Step ${at.number} of ${at.of} · ${at.title.toLowerCase()}` : at.title;
  $("step-title").textContent = number;
  $("step").dataset.phase = at.phase;
  const pieces = at.pieces ?? [["", at.sentence]];
  if ($("sentence").textContent !== sentenceOf(at)) {
    fill($("sentence"), ...pieces.map(([name, text]) => (name ? make("span", { class: name }, text) : text)));
  }
  const more = $("step-more");
  fill(more,
    line("symbols", at.symbols), line("in-numbers", at.numbers), ...parts(at),
    at.shapes ? make("p", { class: "shapes" }, make("span", { class: "quiet" }, "shapes "), at.shapes) : null,
    needed(at),
    ...at.words.map((text) => make("p", { class: "words" }, text)),
    at.rows ? results(at) : null,
    at.phase === "overview" ? reading() : null);
  showStory();
}

function sentenceOf(at) {
  return at.sentence ?? at.pieces.map(([, text]) => text).join("");
}

function line(className, text) {
  return text ? make("p", { class: `formula ${className}` }, text) : null;
}

// The arrays of a step: what is computed, or what is added and what there is then.
function parts(at) {
  const found = [];
  const add = (label, place, className) => {
    if (place === null || place === undefined) return;
    found.push(make("div", { class: `part ${className}` }, make("h3", {}, label),
      shown(item(place), label)));
  };
  if (at.phase === "forward") add("value", at.content, "is-value");
  if (at.phase === "backward" && item(at.content).kind !== "number") {
    add("upstream gradient", at.upstream, "is-gradient");
    add("this edge adds", at.content, "is-gradient");
    if (at.after !== at.content) add("the gradient so far", at.after, "is-gradient");
  } else if (at.phase === "backward" && state.exact) {
    add("upstream gradient", at.upstream, "is-gradient");
    add("local derivative", at.local, "is-gradient");
    add("this edge adds", at.content, "is-gradient");
    add("the gradient so far", at.after, "is-gradient");
  }
  if (at.phase === "seed" && item(at.after).kind !== "number") {
    add("upstream gradient", at.after, "is-gradient");
  }
  return found;
}

// Which values of the forward pass are read: those with the blue ring.
function needed(at) {
  if (at.phase !== "backward" || !at.reads?.length) return null;
  const chips = at.reads.map((tensor) => {
    const { name, value } = state.graph.tensors[tensor] ?? {};
    if (name === undefined) return null;
    const content = item(value);
    const text = content.kind === "number" ? `${name} = ${content.text}` : name;
    const id = scene.shownAt.get(tensor);
    return make("button", { type: "button", class: "chip", onclick: () => id && pin(id, true) }, text);
  });
  return make("p", { class: "needs" },
    make("span", { class: "quiet" }, "needed from the forward pass "), ...chips);
}

// How to read the marks in the picture.
function reading() {
  const rows = state.graph.numbers
    ? [["is-value", "−2", "the value of a card, computed on the way forward"],
      ["is-gradient", `∂${state.graph.symbol}/∂x`, "its gradient, found on the way back"],
      ["", "× 3", "the local derivative, on an edge"],
      ["is-gradient", "◂ 6", "what the edge adds to the gradient: upstream × local"]]
    : [["", "(2,3)", "the shape of what a card makes"],
      ["is-gradient", "∂ rms 0.1", "the size of its gradient: the root mean square"],
      ["is-gradient", "- - -", "a gradient on its way back"]];
  return make("dl", { class: "reading" }, ...rows.flatMap(([name, mark, text]) => [
    make("dt", { class: name }, mark), make("dd", {}, text)]));
}

function results(at) {
  const few = at.rows.length <= 6;
  const cell = (content, label) => (few || !content.facts ? shown(content, label)
    : make("span", { class: "figure", title: content.facts.map(([n, t]) => `${n} ${t}`).join(", ") }, content.text));
  const rows = at.rows.map(([name, value, gradient]) => make("tr", {},
    make("th", { scope: "row" }, name),
    make("td", { class: "is-value" }, cell(item(value), `${name}, value`)),
    make("td", { class: "is-gradient" }, cell(item(gradient), `${name}, gradient`))));
  const heads = at.heads.map((text) => make("th", { scope: "col" }, text));
  return make("table", { class: "results" }, make("thead", {}, make("tr", {}, ...heads)),
    make("tbody", {}, ...rows));
}

// ---- the story of a card ---------------------------------------------------------------------------

function told() {
  const at = step();
  const current = at.phase === "backward" || at.phase === "seed" ? scene.shownAt.get(at.to) : at.card;
  return [state.hovered, state.pinned, current].find((id) => id && scene.cards.has(id));
}

function pin(id, bring = false) {
  state.pinned = id;
  if (bring) reveal([boxOf(id)]);
  showStory();
}

function showStory() {
  const id = told();
  const holder = $("card");
  for (const entry of scene.cards.values()) {
    entry.node.classList.toggle("told", entry.id === id && id === state.pinned);
  }
  if (!id) return fill(holder);
  const { card } = scene.cards.get(id);
  const about = make("dl", { class: "about" });
  for (const [label, text] of card.about) about.append(make("dt", {}, label), make("dd", {}, text));
  fill(holder,
    make("h2", {}, card.exits.length === 1 ? fullName(card) : card.header),
    ...card.exits.map((tensor) => arrays(tensor, card)), about, jumps(id, card), exactButton());
}

function fullName(card) {
  const { full, name } = state.graph.tensors[card.exits[0]];
  if (card.role === "module" && !card.header.includes(" = ")) return `${card.header} makes ${name}`;
  const made = card.header.includes(" = ") ? card.header.slice(card.header.indexOf(" = ")) : "";
  return `${full || name}${made}`;
}

// Value and gradient of one tensor, side by side where there is room.
function arrays(tensor, card) {
  const { name, shape, dtype, value, gradient } = state.graph.tensors[tensor];
  const several = card.exits.length > 1 ? `${name}  ` : "";
  const derivative = `∂${state.graph.symbol}/∂${name}`;
  return make("div", { class: "arrays" },
    make("p", { class: "type" }, `${several}${shape} · ${dtype}`),
    make("div", { class: "part is-value" }, make("h3", {}, "value"), shown(item(value), `${name}, value`)),
    make("div", { class: "part is-gradient" }, make("h3", {}, derivative),
      gradient === null ? make("span", { class: "quiet" }, "no gradient")
        : shown(item(gradient), derivative)));
}

// Buttons to the steps in which a card plays a part.
function jumps(id, card) {
  const { steps } = state.graph;
  const places = positionsOf((at) => at.number
    && (at.card === id || (at.phase === "backward" && card.exits.includes(at.to))));
  if (!places.length) return null;
  const buttons = places.slice(0, 24).map((i) => {
    const at = steps[state.view.steps[i]];
    const what = at.phase === "forward" ? "computed" : at.card === id ? "passes on" : "receives";
    return make("button", {
      type: "button", class: `jump ${at.phase}`, title: sentenceOf(at), onclick: () => go(i),
      "aria-label": `To step ${at.number}, ${what}: ${sentenceOf(at)}`,
      "aria-current": i === state.position ? "step" : null,
    }, `${at.number} ${what}`);
  });
  return make("div", { class: "jumps", role: "group", "aria-label": "Steps of this card" },
    make("span", { class: "quiet" }, "steps "), ...buttons);
}

function exactButton() {
  return make("button", {
    type: "button", id: "exact", class: "plain", "aria-pressed": String(state.exact),
    "aria-keyshortcuts": "p", onclick: toggleExact,
  }, state.exact ? "Four digits" : "All digits");
}

function toggleExact() {
  const hadFocus = document.activeElement?.id === "exact";
  state.exact = !state.exact;
  showPanel(step());
  if (hadFocus) $("exact")?.focus();
}
