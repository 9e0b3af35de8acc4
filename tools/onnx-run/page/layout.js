// Places the nodes of a graph without cycles in rows: each below what it reads, near its neighbours, long edges through places of their own.
"use strict";

const kRowGap = 34, kColumnGap = 18, kNodeHeight = 36, kSweeps = 6, kMostPlaces = 60000;

// nodes: [{width}], edges: [[from, to]] with from before to in the order of nodes. Gives x (of centres) and y of nodes and a list of points for each edge.
function layout(nodes, edges) {
  const count = nodes.length;
  const into = Array.from({length: count}, () => []), out = Array.from({length: count}, () => []);
  for (const [from, to] of edges) {
    out[from].push(to);
    into[to].push(from);
  }
  const row = new Array(count).fill(0);
  for (let i = 0; i < count; ++i)
    for (const from of into[i]) row[i] = Math.max(row[i], row[from] + 1);
  // What reads nothing stands right above its first reader.
  for (let i = 0; i < count; ++i)
    if (into[i].length === 0 && out[i].length !== 0) row[i] = Math.min(...out[i].map(to => row[to])) - 1;
  const lowest = Math.min(0, ...row);

  // Places: the nodes, then one for each row that an edge passes.
  const places = nodes.map((node, i) => ({row: row[i] - lowest, width: node.width, up: [], down: [], x: 0}));
  let passed = 0;
  for (const [from, to] of edges) passed += places[to].row - places[from].row - 1;
  const bends = passed <= kMostPlaces;
  const ways = edges.map(([from, to]) => {
    const way = [from];
    if (bends)
      for (let r = places[from].row + 1; r < places[to].row; ++r) {
        way.push(places.length);
        places.push({row: r, width: 6, up: [], down: [], x: 0});
      }
    way.push(to);
    for (let i = 1; i < way.length; ++i) {
      places[way[i - 1]].down.push(way[i]);
      places[way[i]].up.push(way[i - 1]);
    }
    return way;
  });

  const rows = [];
  for (let i = 0; i < places.length; ++i) (rows[places[i].row] ||= []).push(i);
  for (let r = 0; r < rows.length; ++r) rows[r] ||= [];
  const spread = line => {
    let x = 0;
    for (const i of line) {
      places[i].x = x + places[i].width / 2;
      x += places[i].width + kColumnGap;
    }
    for (const i of line) places[i].x -= x / 2;
  };
  const mean = (place, side) => {
    const near = place[side];
    if (near.length === 0) return place.x;
    let sum = 0;
    for (const i of near) sum += places[i].x;
    return sum / near.length;
  };
  rows.forEach(spread);
  for (let sweep = 0; sweep < kSweeps; ++sweep) {
    const side = sweep % 2 === 0 ? "up" : "down";
    const order = side === "up" ? rows : [...rows].reverse();
    for (const line of order) {
      const wanted = new Map(line.map(i => [i, mean(places[i], side)]));
      line.sort((a, b) => wanted.get(a) - wanted.get(b));
      pack(line, places, wanted);
    }
  }
  for (const side of ["both", "up", "both"])
    for (const line of rows) {
      const wanted = new Map(line.map(i => {
        const place = places[i];
        if (side === "up" || place.down.length === 0) return [i, mean(place, "up")];
        if (place.up.length === 0) return [i, mean(place, "down")];
        return [i, (mean(place, "up") + mean(place, "down")) / 2];
      }));
      pack(line, places, wanted);
    }
  const y = r => r * (kNodeHeight + kRowGap);
  return {
    x: places.slice(0, count).map(place => place.x),
    y: places.slice(0, count).map(place => y(place.row)),
    ways: ways.map(way => way.map(i => [places[i].x, y(places[i].row)])),
  };
}

// Gives the places of a row, in their order and without overlap, the x nearest to what each wants: neighbours that would overlap move as one.
function pack(line, places, wanted) {
  const blocks = [];
  for (const i of line) {
    let block = {members: [i], offset: [0], length: places[i].width, sum: wanted.get(i), x: wanted.get(i)};
    // `x` is the centre of the first member; `sum` adds up what members want less their offset.
    while (blocks.length !== 0) {
      const before = blocks[blocks.length - 1];
      const lastOfBefore = before.x + before.offset[before.offset.length - 1] + places[before.members.at(-1)].width / 2;
      if (lastOfBefore + kColumnGap <= block.x - places[block.members[0]].width / 2) break;
      blocks.pop();
      const shift = before.offset.at(-1) + places[before.members.at(-1)].width / 2 + kColumnGap + places[block.members[0]].width / 2;
      before.sum += block.sum - shift * block.members.length;
      for (let k = 0; k < block.members.length; ++k) {
        before.members.push(block.members[k]);
        before.offset.push(shift + block.offset[k]);
      }
      before.x = before.sum / before.members.length;
      block = before;
    }
    blocks.push(block);
  }
  for (const block of blocks)
    for (let k = 0; k < block.members.length; ++k) places[block.members[k]].x = block.x + block.offset[k];
}

if (typeof module !== "undefined") module.exports = {layout, pack, kColumnGap, kNodeHeight};
