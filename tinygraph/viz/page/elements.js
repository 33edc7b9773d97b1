// Elements: the only place where nodes are made. Text is always text, never markup.

const page = JSON.parse(document.getElementById("data").textContent);
const M = page.metrics;
const calm = matchMedia("(prefers-reduced-motion: reduce)");

const state = {
  graph: page.graphs[0],
  view: null, // one picture of the graph: which modules are open
  direction: "LR",
  position: 0, // which step is shown
  pinned: null, // the card whose story the panel tells; null: that of the current step
  hovered: null,
  overlay: "none",
  exact: false, // all digits
};

function $(id) {
  return document.getElementById(id);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter(isThere));
  return node;
}

// Set an attribute where it changes: setting it always makes the browser look again.
function set(node, name, value) {
  if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

function isThere(child) {
  return child !== null && child !== undefined && child !== "";
}

// Replace what a node holds.
function fill(node, ...children) {
  node.replaceChildren(...children.filter(isThere));
}

// An HTML element.
function make(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

// An SVG element.
function draw(tag, attributes = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

// A line of SVG text, squeezed where the reader's font is wider than the layout thought.
function write(className, x, y, text, width, anchor = "start") {
  const node = draw("text", { class: className, x, y, "text-anchor": anchor }, text);
  node.squeeze = () => {
    node.removeAttribute("textLength");
    if (width > 0 && node.getComputedTextLength() > width) narrow(node, width);
  };
  return node;
}

// Make a line of text as narrow as this.
function narrow(node, width) {
  node.setAttribute("textLength", width);
  node.setAttribute("lengthAdjust", "spacingAndGlyphs");
}

function step() {
  return state.graph.steps[state.view.steps[state.position]];
}

function item(place) {
  return place === null || place === undefined ? null : state.graph.contents[place];
}
