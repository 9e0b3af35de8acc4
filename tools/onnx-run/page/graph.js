// Draws the model that stands in the element "model", one graph at a time, and shows what is clicked.
"use strict";

const kSvg = "http://www.w3.org/2000/svg";
const model = JSON.parse(document.getElementById("model").textContent);
const drawing = document.getElementById("drawing"), layer = document.getElementById("layer");
const details = document.getElementById("details"), search = document.getElementById("search");
const path = [];  // [title, graph] from the main graph to the one shown
let shown = null;  // {graph, boxes, elements, edges, makers, readers, view}

function element(parent, tag, properties = {}, text) {
  const made = tag.startsWith("svg:") ? document.createElementNS(kSvg, tag.slice(4)) : document.createElement(tag);
  for (const [key, value] of Object.entries(properties)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value);
  }
  if (text !== undefined) made.textContent = text;
  if (parent) parent.append(made);
  return made;
}

const titleOf = node => node.name || (node.outputs.find(output => output !== null) ?? "");

// 1234567 -> "1.23 M"; formulas stay.
function amount(value, unit) {
  if (typeof value !== "number") return `${value} ${unit}`.trim();
  for (const [factor, letter] of [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]])
    if (value >= factor) return `${(value / factor).toPrecision(3)} ${letter}${unit}`;
  return `${value} ${unit}`.trim();
}

function hue(op) {
  let hash = 7;
  for (const c of op) hash = (hash * 31 + c.codePointAt(0)) % 360;
  return hash;
}

const fit = (text, length) => text.length <= length ? text : "…" + text.slice(1 - length);

// --- drawing ---

function boxesOf(graph) {
  const boxes = [];
  for (const name of graph.inputs) boxes.push({kind: "input", name, op: "input", outputs: [name], inputs: []});
  for (const capture of graph.captures) boxes.push({kind: "capture", name: capture.name, op: "from outside", outputs: [capture.name], inputs: []});
  for (const node of graph.nodes) boxes.push({kind: "node", node, op: node.op, name: titleOf(node), outputs: node.outputs, inputs: node.inputs.concat(node.captured)});
  graph.outputs.forEach(name => boxes.push({kind: "output", name, op: "output", outputs: [], inputs: [name]}));
  return boxes;
}

function show(graph) {
  const boxes = boxesOf(graph), makers = new Map(), readers = new Map(), edges = [], values = [];
  boxes.forEach((box, i) => { for (const name of box.outputs) if (name !== null) makers.set(name, i); });
  boxes.forEach((box, i) => {
    for (const name of new Set(box.inputs)) {
      if (name === null || !makers.has(name)) continue;
      edges.push([makers.get(name), i]);
      values.push(name);
      if (!readers.has(name)) readers.set(name, []);
      readers.get(name).push(i);
    }
  });
  for (const box of boxes) box.width = Math.max(72, 8 + 7.5 * Math.min(box.op.length, 30), 8 + 5.2 * Math.min(box.name.length, 28));
  const placed = layout(boxes, edges);
  layer.replaceChildren();
  const most = Math.max(1, ...boxes.map(box => typeof box.node?.operations === "number" ? box.node.operations : 0));
  const lines = edges.map(([from, to], e) => {
    const line = element(layer, "svg:path", {class: "edge", d: curve(placed.ways[e])});
    element(line, "svg:title", {}, `${values[e]}: ${graph.types[values[e]] ?? "?"}`);
    return line;
  });
  const elements = boxes.map((box, i) => {
    const group = element(layer, "svg:g", {
      class: "node " + box.kind, tabindex: 0, role: "button", transform: `translate(${placed.x[i]} ${placed.y[i]})`,
      "aria-label": `${box.op} ${box.name}`, onclick: () => choose(i),
      onkeydown: event => { if (event.key === "Enter") choose(i); },
      ondblclick: () => { if (box.node?.bodies.length) enter(box.node.name || box.op, box.node.bodies[0].name, box.node.bodies[0].graph); }});
    const light = box.kind === "node" ? `hsl(${hue(box.op)} 55% 82%)` : "hsl(210 15% 90%)";
    element(group, "svg:rect", {x: -box.width / 2, y: -kNodeHeight / 2, width: box.width, height: kNodeHeight, fill: light});
    const share = typeof box.node?.operations === "number" ? box.node.operations / most : 0;
    if (share > 0) element(group, "svg:rect", {x: -box.width / 2, y: kNodeHeight / 2 - 4, width: Math.max(1, box.width * share), height: 4, fill: "#d4380d", stroke: "none"});
    element(group, "svg:text", {class: "op", y: -3}, fit(box.op, 30) + (box.node?.bodies.length ? " ▸" : ""));
    element(group, "svg:text", {class: "name", y: 10}, fit(box.name, 28));
    return group;
  });
  shown = {graph, boxes, elements, edges, lines, makers, readers, x: placed.x, y: placed.y, chosen: -1};
  everything();
  trail();
  find();
  overview();
}

function curve(points) {
  let d = `M${points[0][0]} ${points[0][1] + kNodeHeight / 2}`;
  for (let i = 1; i < points.length; ++i) {
    const [x0, y0] = points[i - 1], [x1, y1] = points[i];
    const begin = i === 1 ? y0 + kNodeHeight / 2 : y0, end = i === points.length - 1 ? y1 - kNodeHeight / 2 : y1;
    const middle = (begin + end) / 2;
    d += ` C${x0} ${middle} ${x1} ${middle} ${x1} ${end}`;
  }
  return d;
}

// --- moving about ---

let view = {x: 0, y: 0, scale: 1};

function apply() { layer.setAttribute("transform", `translate(${view.x} ${view.y}) scale(${view.scale})`); }

function everything() {
  const left = Math.min(...shown.x.map((x, i) => x - shown.boxes[i].width / 2)), right = Math.max(...shown.x.map((x, i) => x + shown.boxes[i].width / 2));
  const top = Math.min(...shown.y) - kNodeHeight, bottom = Math.max(...shown.y) + kNodeHeight;
  const {width, height} = drawing.getBoundingClientRect();
  // Long graphs begin at the top, large enough to be read.
  const scale = Math.max(Math.min(1.25, width / (right - left + 40), height / (bottom - top + 40)), Math.min(.6, width / (right - left + 40)), .05);
  view = {scale, x: width / 2 - scale * (left + right) / 2, y: Math.max(20 - scale * top, (height - scale * (bottom + top)) / 2)};
  if (scale * (bottom - top) > height) view.y = 20 - scale * top;
  apply();
}

function zoom(factor, x, y) {
  const scale = Math.min(8, Math.max(.02, view.scale * factor));
  view.x = x - (x - view.x) * scale / view.scale;
  view.y = y - (y - view.y) * scale / view.scale;
  view.scale = scale;
  apply();
}

function zoomMiddle(factor) {
  const {width, height} = drawing.getBoundingClientRect();
  zoom(factor, width / 2, height / 2);
}

drawing.addEventListener("wheel", event => {
  event.preventDefault();
  const box = drawing.getBoundingClientRect();
  zoom(Math.exp(-event.deltaY * (event.deltaMode === 1 ? .05 : .0015)), event.clientX - box.left, event.clientY - box.top);
}, {passive: false});

let drag = null;
drawing.addEventListener("pointerdown", event => { drag = {x: event.clientX - view.x, y: event.clientY - view.y, id: event.pointerId, far: false, startX: event.clientX, startY: event.clientY}; });
drawing.addEventListener("pointermove", event => {
  if (!drag || event.pointerId !== drag.id) return;
  if (!drag.far && Math.hypot(event.clientX - drag.startX, event.clientY - drag.startY) < 4) return;
  if (!drag.far) drawing.setPointerCapture(event.pointerId);
  drag.far = true;
  drawing.classList.add("moving");
  view.x = event.clientX - drag.x;
  view.y = event.clientY - drag.y;
  apply();
});
for (const end of ["pointerup", "pointercancel"]) drawing.addEventListener(end, () => { drag = null; drawing.classList.remove("moving"); });

function centre(i) {
  const {width, height} = drawing.getBoundingClientRect();
  view.scale = Math.max(view.scale, .7);
  view.x = width / 2 - view.scale * shown.x[i];
  view.y = height / 2 - view.scale * shown.y[i];
  apply();
}

// --- what is shown at the side ---

function table(rows, header) {
  const made = element(details, "table");
  if (header) {
    const line = element(made, "tr");
    header.forEach((text, i) => element(line, "th", i === 0 ? {} : {class: "number"}, text));
  }
  for (const cells of rows) {
    const line = element(made, "tr");
    cells.forEach((cell, i) => {
      const tag = header || i > 0 ? "td" : "th";
      const place = element(line, tag, header && i > 0 ? {class: "number"} : {});
      if (cell instanceof Node) place.append(cell);
      else place.textContent = cell;
    });
  }
}

function overview() {
  details.replaceChildren();
  element(details, "h2", {}, path.length === 1 ? "Model" : `Body ${path.at(-1)[0]}`);
  if (path.length === 1) {
    const facts = [["producer", `${model.producer} ${model.producer_version}`.trim()], ["opsets", Object.entries(model.opsets).map(([name, version]) => `${name} ${version}`).join(", ")],
      ["IR version", String(model.ir_version)], ["nodes", String(model.nodes)], ["parameters", amount(model.parameters, "")], ["weights", amount(model.parameter_bytes, "B")],
      ["operations", amount(model.operations, "")]];
    for (const [key, value] of Object.entries(model.metadata)) facts.push([key, value]);
    if (model.doc) facts.push(["about", model.doc]);
    table(facts.filter(fact => fact[1] !== ""));
  }
  for (const [title, names] of [["Inputs", shown.graph.inputs], ["Outputs", shown.graph.outputs]]) {
    element(details, "h2", {}, title);
    table(names.map(name => [valueLink(name), shown.graph.types[name] ?? "?"]));
  }
  if (path.length === 1) {
    element(details, "h2", {}, "Operators");
    const ops = [...model.ops].sort((a, b) => (typeof b.operations === "number" ? b.operations : 0) - (typeof a.operations === "number" ? a.operations : 0));
    table(ops.map(op => [op.op, String(op.nodes), amount(op.operations, ""), amount(op.bytes, "B")]), ["operator", "nodes", "operations", "memory"]);
  }
}

function valueLink(name) {
  const at = shown.makers.get(name);
  if (at === undefined) return element(null, "code", {}, name);
  return element(null, "button", {class: "link", onclick: () => { choose(at); centre(at); }}, name);
}

function valueRows(names) {
  const constants = new Map(shown.graph.constants.map(constant => [constant.name, constant]));
  return names.map((name, i) => {
    if (name === null) return [String(i), "none"];
    const cell = element(null, "div");
    cell.append(valueLink(name));
    element(cell, "div", {class: "type"}, shown.graph.types[name] ?? "?");
    if (constants.has(name)) element(cell, "div", {class: "type"}, constants.get(name).text);
    return [String(i), cell];
  });
}

function choose(i) {
  if (shown.chosen >= 0) shown.elements[shown.chosen].classList.remove("chosen");
  shown.chosen = i;
  shown.elements[i].classList.add("chosen");
  shown.edges.forEach(([from, to], e) => shown.lines[e].classList.toggle("near", from === i || to === i));
  const box = shown.boxes[i];
  details.replaceChildren();
  element(details, "h2", {}, box.op);
  if (box.kind !== "node") {
    table([["name", box.name], ["type", shown.graph.types[box.name] ?? "?"]]);
    const around = box.kind === "output" ? (shown.makers.has(box.name) ? [shown.makers.get(box.name)] : []) : shown.readers.get(box.name) ?? [];
    element(details, "h2", {}, box.kind === "output" ? "Made by" : "Read by");
    table(around.map(j => [boxLink(j)]));
    return;
  }
  const node = box.node;
  table([["name", node.name || "–"], ["operations", amount(node.operations, "")], ["memory", amount(node.bytes, "B")], ...(node.doc ? [["about", node.doc]] : [])]);
  for (const body of node.bodies)
    element(element(details, "p"), "button", {onclick: () => enter(node.name || node.op, body.name, body.graph)}, `Open ${body.name}`);
  if (Object.keys(node.attributes).length !== 0) {
    element(details, "h2", {}, "Attributes");
    table(Object.entries(node.attributes).map(([name, text]) => [name, element(null, "code", {}, text)]));
  }
  element(details, "h2", {}, "Inputs");
  table(valueRows(node.inputs));
  if (node.captured.length !== 0) {
    element(details, "h2", {}, "Read by its bodies");
    table(valueRows(node.captured));
  }
  element(details, "h2", {}, "Outputs");
  table(valueRows(node.outputs));
  const next = [...new Set(node.outputs.flatMap(name => shown.readers.get(name) ?? []))];
  element(details, "h2", {}, "Read by");
  table(next.map(j => [boxLink(j)]));
}

function boxLink(i) {
  const box = shown.boxes[i];
  return element(null, "button", {class: "link", onclick: () => { choose(i); centre(i); }}, `${box.op} ${box.name}`);
}

// --- bodies and search ---

function enter(node, body, graph) {
  path.push([`${node} · ${body}`, graph]);
  show(graph);
}

function trail() {
  const place = document.getElementById("path");
  place.replaceChildren();
  path.forEach(([title, graph], i) => {
    if (i !== 0) place.append(" / ");
    element(place, "button", {onclick: () => { path.length = i + 1; show(graph); }}, title);
  });
}

let hits = [], hit = -1;
function find() {
  const text = search.value.trim().toLowerCase();
  hits = [];
  hit = -1;
  shown.boxes.forEach((box, i) => {
    const found = text !== "" && [box.op, box.name, ...box.outputs, ...box.inputs].some(part => part !== null && part.toLowerCase().includes(text));
    shown.elements[i].classList.toggle("found", found);
    if (found) hits.push(i);
  });
  document.getElementById("hits").textContent = text === "" ? "" : `${hits.length} found`;
}
search.addEventListener("input", find);
search.addEventListener("keydown", event => {
  if (event.key !== "Enter" || hits.length === 0) return;
  hit = (hit + (event.shiftKey ? hits.length - 1 : 1)) % hits.length;
  choose(hits[hit]);
  centre(hits[hit]);
});
document.addEventListener("keydown", event => {
  if (event.target === search) return;
  if (event.key === "/") { event.preventDefault(); search.focus(); }
  else if (event.key === "+") zoomMiddle(1.3);
  else if (event.key === "-") zoomMiddle(1 / 1.3);
  else if (event.key === "0") everything();
  else if (event.key === "Escape") overview();
});
document.getElementById("in").addEventListener("click", () => zoomMiddle(1.3));
document.getElementById("out").addEventListener("click", () => zoomMiddle(1 / 1.3));
document.getElementById("all").addEventListener("click", everything);
document.getElementById("about").addEventListener("click", overview);

document.title = model.path || model.graph || "model";
path.push([document.title.split("/").pop(), model.structure]);
show(model.structure);
document.documentElement.dataset.drawn = String(shown.boxes.length);
