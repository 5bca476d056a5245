import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../web/js/", import.meta.url));
const FILES = readdirSync(ROOT, { recursive: true, encoding: "utf-8" })
  .map((path) => path.replaceAll("\\", "/"))
  .filter((path) => path.endsWith(".js"));
/** A folder imports from those before it, and from itself. What is fetched later may be anywhere. */
const ORDER = [
  ["lib", "locales"],
  ["shell"],
  ["card"],
  ["rooms"],
  ["listening"],
  ["meetings"],
  ["moderation", "operating"],
];

const STATIC = /^(?:import|export)\s(?:[\w$*{},\s]+\sfrom\s)?"(\.[^"]+)"/gm;
const DYNAMIC = /\bimport\(\s*"(\.[^"]+)"/g;

/** What a module imports. Types that comments name are no imports. @param {string} text @param {string} path */
function importsOf(text, path) {
  const code = text.replace(/\/\*[^]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
  const found = (/** @type {RegExp} */ how) =>
    [...code.matchAll(how)].map((match) => normalize(join(dirname(path), match[1])).replaceAll("\\", "/"));
  return { now: found(STATIC), later: found(DYNAMIC) };
}

const graph = new Map(FILES.map((path) => [path, importsOf(readFileSync(join(ROOT, path), "utf-8"), path)]));

/** The first circle, as the files on its way. @param {(path: string) => string[]} next @param {Iterable<string>} paths */
function circle(next, paths) {
  const done = new Set();
  /** @param {string} path @param {string[]} way @returns {string[] | null} */
  const walk = (path, way) => {
    if (way.includes(path)) return [...way.slice(way.indexOf(path)), path];
    if (done.has(path)) return null;
    for (const to of next(path)) {
      const found = walk(to, [...way, path]);
      if (found !== null) return found;
    }
    done.add(path);
    return null;
  };
  for (const path of paths) {
    const found = walk(path, []);
    if (found !== null) return found;
  }
  return null;
}

test("imports are read as they are written", () => {
  const text = `/** @import {A} from "./types.js" */
import { a } from "../lib/a.js";
import {
  b,
  c,
} from "./b.js";
export { d } from "./d.js";
/** @type {typeof import("./type.js").e} */
let e = null;
// import("./comment.js")
const f = () => fetched(() => import("./f.js"), "rooms/f.js");
`;
  assert.deepEqual(importsOf(text, "rooms/x.js"), {
    now: ["lib/a.js", "rooms/b.js", "rooms/d.js"],
    later: ["rooms/f.js"],
  });
});

test("a circle is found", () => {
  const next = (/** @type {string} */ path) => ({ a: ["b"], b: ["c", "d"], c: ["a"], d: [] })[path] ?? [];
  assert.deepEqual(circle(next, ["d", "a"]), ["a", "b", "c", "a"]);
  assert.equal(
    circle((path) => (path === "c" ? [] : next(path)), ["a"]),
    null,
  );
});

test("every module that is imported is there", () => {
  for (const [path, { now, later }] of graph)
    for (const to of [...now, ...later]) assert.ok(graph.has(to), `${path} imports ${to}`);
});

test("no module imports itself by way of others, neither at once nor later", () => {
  const next = (/** @type {string} */ path) => [...(graph.get(path)?.now ?? []), ...(graph.get(path)?.later ?? [])];
  assert.equal(circle(next, graph.keys()), null);
});

test("the names that fetched modules are tried again under are theirs", () => {
  for (const path of FILES) {
    const text = readFileSync(join(ROOT, path), "utf-8");
    for (const [, from, again] of text.matchAll(/fetched\(\s*\(\) => import\("([^"]+)"\),\s*"([^"]+)"/g))
      assert.equal(normalize(join(dirname(path), from)), again, path);
  }
});

test("imports run down the order of the folders", () => {
  const rank = (/** @type {string} */ path) => ORDER.findIndex((folders) => folders.includes(path.split("/")[0] ?? ""));
  const wrong = [];
  for (const [path, { now }] of graph)
    for (const to of now) {
      const isSame = path.split("/")[0] === to.split("/")[0];
      if (path.includes("/") && !isSame && rank(to) >= rank(path) && !(rank(to) === 0 && rank(path) === 0))
        wrong.push(`${path} -> ${to}`);
    }
  assert.deepEqual(wrong, []);
});
