// The camera: pan, zoom and fit. A point p of the world is seen at (p · k + x, p · k + y).

const camera = { x: 0, y: 0, k: 1, fitted: true, frame: 0 };
const LARGEST = 4;
const SMALLEST = 0.05;
const READABLE = 0.7;

function place(x, y, k) {
  Object.assign(camera, { x, y, k });
  $("world").setAttribute("transform", `translate(${x.toFixed(2)} ${y.toFixed(2)}) scale(${k.toFixed(4)})`);
}

// Go there in a quarter of a second, or at once.
function travel(x, y, k) {
  cancelAnimationFrame(camera.frame);
  if (calm.matches || document.hidden) return place(x, y, k);
  const from = { ...camera };
  const start = performance.now();
  const move = (time) => {
    const t = Math.min(1, Math.max(0, (time - start) / 260));
    const eased = t * (2 - t);
    const at = (a, b) => a + (b - a) * eased;
    place(at(from.x, x), at(from.y, y), at(from.k, k));
    if (t < 1) camera.frame = requestAnimationFrame(move);
  };
  camera.frame = requestAnimationFrame(move);
}

// Measured when they change, not at every step: measuring makes the browser lay out the page.
// The free room is what the buttons leave: they stand at the right, on a phone below.
const room = { stage: [0, 0], free: [0, 0] };

function measure() {
  const { width, height } = $("scene").getBoundingClientRect();
  const buttons = $("zoom").getBoundingClientRect();
  room.stage = [width, height];
  room.free = buttons.width < buttons.height ? [width - buttons.width - 12, height]
    : [width, height - buttons.height - 8];
}

// Where the camera stands when a box of the world fills the stage.
function fitting([x, y, w, h], most = 1.6) {
  const [width, height] = room.free;
  const margin = Math.min(28, width / 20);
  const k = Math.max(SMALLEST, Math.min(most, (width - 2 * margin) / w, (height - 2 * margin) / h));
  return [width / 2 - (x + w / 2) * k, height / 2 - (y + h / 2) * k, k];
}

function fit(smoothly = true) {
  camera.fitted = true;
  const goal = fitting([0, 0, ...scene.layout.size]);
  if (smoothly) travel(...goal);
  else {
    cancelAnimationFrame(camera.frame);
    place(...goal);
  }
}

function zoom(factor, at = room.stage.map((v) => v / 2), smoothly = true) {
  const k = Math.max(SMALLEST, Math.min(LARGEST, camera.k * factor));
  const go = smoothly ? travel : place;
  camera.fitted = false;
  go(at[0] - ((at[0] - camera.x) / camera.k) * k, at[1] - ((at[1] - camera.y) / camera.k) * k, k);
}

function pan(dx, dy, smoothly = true) {
  camera.fitted = false;
  (smoothly ? travel : place)(camera.x + dx, camera.y + dy, camera.k);
}

// Bring boxes of the world into sight, moving no more than needed.
function reveal(boxes) {
  if (!boxes.length) return;
  const left = Math.min(...boxes.map((b) => b[0]));
  const top = Math.min(...boxes.map((b) => b[1]));
  const box = [left, top, Math.max(...boxes.map((b) => b[0] + b[2])) - left,
    Math.max(...boxes.map((b) => b[1] + b[3])) - top];
  if (isInSight(box) && camera.k >= (camera.fitted ? READABLE * 0.75 : READABLE)) return;
  camera.fitted = false;
  travel(...fitting(box, Math.max(camera.k, 1)));
}

// Move a box into sight by no more than needed, if there is room for it at this scale.
function nudge([x, y, w, h]) {
  const into = (low, size, free) => Math.max(6 - low, Math.min(0, free - 6 - (low + size)));
  const [width, height] = room.free;
  const { k } = camera;
  if (w * k > width - 12 || h * k > height - 12) return false;
  travel(camera.x + into(x * k + camera.x, w * k, width),
    camera.y + into(y * k + camera.y, h * k, height), k);
  return true;
}

function isInSight([x, y, w, h]) {
  const [left, top] = [x * camera.k + camera.x, y * camera.k + camera.y];
  const [width, height] = room.free;
  return left >= 6 && top >= 6 && left + w * camera.k <= width - 6 && top + h * camera.k <= height - 6;
}

function boxOf(id) {
  const entry = scene.cards.get(id);
  return entry ? [entry.x, entry.y, entry.w, entry.h] : null;
}

// ---- mouse, finger, wheel ------------------------------------------------------------------------

const fingers = new Map();

function startCamera() {
  const svg = $("scene");
  const local = (event) => {
    const box = svg.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  let moved = 0;
  svg.addEventListener("wheel", (event) => {
    event.preventDefault();
    const pixels = event.deltaMode === 1 ? event.deltaY * 16 : event.deltaY;
    zoom(Math.exp(-Math.max(-120, Math.min(120, pixels)) / 400), local(event), false);
  }, { passive: false });
  svg.addEventListener("pointerdown", (event) => {
    if (!fingers.size) moved = 0;
    fingers.set(event.pointerId, local(event));
  });
  addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const now = local(event);
    moved += Math.hypot(now[0] - before[0], now[1] - before[1]);
    if (fingers.size === 2) pinch(event.pointerId, before, now);
    else if (moved > 4) {
      svg.classList.add("dragging");
      pan(now[0] - before[0], now[1] - before[1], false);
    }
    fingers.set(event.pointerId, now);
  });
  const lift = (event) => {
    fingers.delete(event.pointerId);
    if (!fingers.size) svg.classList.remove("dragging");
  };
  addEventListener("pointerup", lift);
  addEventListener("pointercancel", lift);
  svg.addEventListener("click", (event) => { // the end of a drag is no click
    if (moved > 4) event.stopPropagation();
  }, true);
  measure();
  new ResizeObserver(() => {
    measure();
    if (camera.fitted) fit(false);
  }).observe(svg);
}

function pinch(moving, before, now) {
  const [, other] = [...fingers].find(([id]) => id !== moving);
  const distance = (p) => Math.hypot(p[0] - other[0], p[1] - other[1]) || 1;
  const middle = [(now[0] + other[0]) / 2, (now[1] + other[1]) / 2];
  zoom(distance(now) / distance(before), middle, false);
  pan((now[0] - before[0]) / 2, (now[1] - before[1]) / 2, false);
}
