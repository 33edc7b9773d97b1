// The scene: cards, modules and edges of the view that is shown, where Graphviz put them.

const scene = {
  layout: null,
  cards: new Map(), // id → {node, face, card, x, y, w, h, value, gradient}
  edges: [], // {node, source, target, tensor, position}
  scopes: new Map(), // number → [x, y, width, height]
  shownAt: new Map(), // tensor → id of the card that shows it
};

function buildScene() {
  const before = new Map([...scene.cards].map(([id, { x, y }]) => [id, { x, y }]));
  const { view, graph } = state;
  scene.layout = view.layouts[state.direction];
  scene.cards.clear();
  scene.scopes.clear();
  scene.shownAt.clear();
  const frames = draw("g", { class: "frames" });
  const titles = draw("g", { class: "titles" });
  for (const [number] of view.scopes) addScope(number, frames, titles);
  const cards = draw("g", { class: "cards" });
  view.cards.forEach((id, i) => {
    const [cx, cy] = scene.layout.cards[i];
    const entry = cardEntry(id, cx - graph.cards[id].size[0] / 2, cy - graph.cards[id].size[1] / 2);
    scene.cards.set(id, entry);
    for (const tensor of entry.card.exits) scene.shownAt.set(tensor, id);
    cards.append(entry.node);
  });
  const edges = draw("g", { class: "edges" });
  scene.edges = view.edges.map((edge, i) => edgeEntry(edge, i));
  edges.append(...scene.edges.map((edge) => edge.node));
  $("world").replaceChildren(frames, edges, titles, cards);
  $("world").querySelectorAll("text").forEach((text) => text.squeeze?.());
  for (const [id, entry] of scene.cards) glide(entry, before.get(id));
}

// Move a card from where it was to where it is.
function glide(entry, from) {
  const to = `translate(${entry.x}px, ${entry.y}px)`;
  entry.node.style.transform = to;
  if (!from || calm.matches || (from.x === entry.x && from.y === entry.y)) return;
  entry.node.animate(
    [{ transform: `translate(${from.x}px, ${from.y}px)` }, { transform: to }],
    { duration: 320, easing: "ease-out" },
  );
}

// ---- modules ------------------------------------------------------------------------------------

// The frame lies under the edges, the title above them.
function addScope(number, frames, titles) {
  const box = scene.layout.scopes[number];
  const scope = state.graph.scopes[number];
  const [x, y, w, h] = box;
  scene.scopes.set(number, box);
  const room = w - 24 - (scope.opens ? M.badge : 0);
  const title = draw("g", { class: "scope-title" }, draw("title", {}, scope.tip),
    ...titleLines(scope).map((words, i) => {
      const line = draw("text", { x: x + 12, y: y + 22 + i * M.line },
        ...words.map(([name, text]) => draw("tspan", { class: name }, text)));
      line.squeeze = () => line.getComputedTextLength() > room && narrow(line, room);
      return line;
    }));
  const level = `level-${scope.level % 2}`;
  frames.append(draw("rect", { class: `frame ${level}`, x, y, width: w, height: h, rx: 10 }));
  titles.append(draw("g", { class: level }, title,
    scope.opens ? badge(x + w - 20, y + 9, false, `Close ${scope.title}`, number) : null));
}

// Details have lines of their own where edges come in from above.
function titleLines({ title, details }) {
  const name = ["strong", title];
  if (state.direction !== "LR") return [[name], ...details.map((line) => [["details", line]])];
  return [[name, ...details.map((line) => ["details", ` · ${line}`])]];
}

// The button that opens (+) or closes (−) a module.
function badge(x, y, opens, label, scope) {
  return draw("g", {
    class: "badge", role: "button", tabindex: -1, "aria-label": label, "data-scope": scope,
    transform: `translate(${x} ${y})`,
    onclick: (event) => { event.stopPropagation(); toggleScope(scope); },
    onpointerdown: (event) => event.stopPropagation(),
  },
  draw("title", {}, `${label} (${opens ? "O" : "C"})`),
  draw("rect", { width: 14, height: 14, rx: 4 }),
  draw("path", { d: opens ? "M7 3.5v7M3.5 7h7" : "M3.5 7h7" }));
}

// ---- cards ---------------------------------------------------------------------------------------

function cardEntry(id, x, y) {
  const card = state.graph.cards[id];
  const [w, h] = card.size;
  const inner = w - 2 * M.pad;
  const room = card.opens === undefined ? inner : inner - M.badge;
  const face = draw("g", { class: "face", role: "button", tabindex: -1 },
    draw("title", {}, card.tip),
    draw("rect", { class: "ring", x: -4, y: -4, width: w + 8, height: h + 8, rx: 10 }),
    draw("rect", { class: "body", width: w, height: h, rx: 7 }));
  const entry = { id, card, face, x, y, w, h, node: null, value: null, gradient: null };
  const note = card.note ? write("note", M.pad + room, 16, card.note, inner, "end") : null;
  const plain = card.value === null && !card.note;
  const header = write("header", plain ? M.pad + room / 2 : M.pad, 16, card.header, inner,
    plain ? "middle" : "start");
  face.append(header, ...(note ? [note] : []));
  header.squeeze = () => squeezeHeader(header, note, room);
  if (note) note.squeeze = null; // the header does it
  let top = M.header;
  for (const line of card.lines) {
    face.append(write("line", plain ? w / 2 : M.pad, top + 8, line, inner,
      plain ? "middle" : "start"));
    top += M.line;
  }
  if (card.value !== null) top = addValue(entry, top);
  if (card.gradient) addGradient(entry, top);
  entry.node = draw("g", { class: `card ${card.role}`, "data-card": id }, face,
    card.opens === undefined ? null
      : badge(w - 20, 6, true, `Open ${card.header}`, card.opens));
  return entry;
}

// Header and note share a line: where the reader's font is too wide, both give way alike.
function squeezeHeader(header, note, room) {
  const gap = note ? 8 : 0;
  const widths = [header, note].map((text) => text?.getComputedTextLength() ?? 0);
  const share = (room - gap) / (widths[0] + widths[1]);
  if (share >= 1) return;
  [header, note].forEach((text, i) => text && narrow(text, widths[i] * share));
}

function addValue(entry, top) {
  const content = item(entry.card.value);
  const right = entry.w - M.pad;
  const inner = entry.w - 2 * M.pad;
  if (content.kind === "table") {
    entry.value = cells(content, right, top, "value");
    top += content.rows.length * M.row + 3;
  } else {
    const quiet = content.kind === "number" ? "" : " quiet";
    entry.value = draw("g", { class: `value${quiet}` },
      write("figure", right, top + 11, content.text, inner, "end"));
    top += M.value;
  }
  entry.face.append(entry.value);
  return top;
}

function addGradient(entry, top) {
  const { gradient } = entry.card;
  const brief = entry.card.value === null;
  const holder = draw("g", { class: "gradient" });
  if (!brief) {
    holder.append(
      draw("path", { class: "rule", d: `M${M.pad} ${top + 1}h${entry.w - 2 * M.pad}` }),
      write("label", M.pad, top + M.rule + 12, gradient.label, 0));
    top += M.rule;
  }
  const slot = draw("g", { class: "slot" });
  holder.append(slot);
  entry.face.append(holder);
  entry.gradient = { slot, top, brief, shown: undefined };
}

// Write what the gradient is at this step: a text, or a table for small arrays.
function setGradient(entry, text, place, quiet) {
  const { gradient } = entry;
  if (!gradient || gradient.shown === `${text}|${place}`) return;
  gradient.shown = `${text}|${place}`;
  const content = item(place);
  const right = entry.w - M.pad;
  let node;
  if (content && content.kind === "table") {
    node = cells(content, right, gradient.top, "figures");
  } else if (gradient.brief) {
    const centred = !entry.card.note;
    node = write("brief", centred ? entry.w / 2 : M.pad, gradient.top + 8, text ? `∂ ${text}` : "", 0,
      centred ? "middle" : "start");
  } else {
    const label = entry.face.querySelector(".label").getComputedTextLength();
    const room = entry.w - 2 * M.pad - label - 6;
    node = write(quiet ? "figure quiet" : "figure", right, gradient.top + 12, text, room, "end");
  }
  gradient.slot.replaceChildren(node);
  gradient.slot.querySelectorAll("text").forEach((line) => line.squeeze?.());
}

// ---- edges ---------------------------------------------------------------------------------------

function edgeEntry([source, target, tensor, position], i) {
  const [path, base, tip] = scene.layout.edges[i];
  const at = scene.layout.labels[i];
  const node = draw("g", { class: "edge", "data-edge": i },
    draw("path", { class: "touch", d: path }),
    draw("path", { class: "wire", d: path }),
    draw("polygon", { class: "head", points: arrow(base, tip) }),
    draw("g", { class: "return", transform: lane() },
      draw("path", { class: "back", d: `${path}L${tip}` }),
      draw("polygon", { class: "back-head", points: startArrow(path) })));
  const label = state.view.labels[i];
  if (at && label) node.append(edgeLabel(at, label));
  node.addEventListener("click", () => jumpToEdge(target, tensor, position));
  return { node, source, target, tensor, position };
}

// Gradients flow back on a lane of their own, beside the values.
function lane() {
  return state.direction === "LR" ? "translate(0 6)" : "translate(-6 0)";
}

function edgeLabel([x, y], [local, adds]) {
  const group = draw("g", { class: "edge-label" });
  const lines = [["local", local], ["adds", adds]].filter(([, text]) => text);
  lines.forEach(([name, text], i) => {
    group.append(write(name, x, y + (i - lines.length / 2) * 13 + 10, text, 0, "middle"));
  });
  return group;
}

function arrow([bx, by], [tx, ty]) {
  const length = Math.hypot(tx - bx, ty - by) || 1;
  const [nx, ny] = [(-(ty - by) / length) * 3.2, ((tx - bx) / length) * 3.2];
  return `${bx + nx},${by + ny} ${tx},${ty} ${bx - nx},${by - ny}`;
}

// The head at the start of a path, for a gradient that flows back.
function startArrow(path) {
  const [x0, y0, x1, y1] = path.match(/-?[\d.]+/g).map(Number);
  const length = Math.hypot(x1 - x0, y1 - y0) || 1;
  const [ux, uy] = [(x1 - x0) / length, (y1 - y0) / length];
  return arrow([x0 + ux * 8, y0 + uy * 8], [x0, y0]);
}
