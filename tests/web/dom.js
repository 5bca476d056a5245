/** As much of a document as a view needs to be drawn: elements with text, attributes and children. Nothing is laid out. */

class Element {
  constructor(tag) {
    Object.assign(this, { tag, kids: [], attributes: new Map(), listeners: new Map(), parentElement: null });
    Object.assign(this, {
      hidden: false,
      value: "",
      dataset: {},
      style: {},
      scrollTop: 0,
      scrollHeight: 0,
      clientHeight: 0,
    });
    const names = new Set();
    this.classList = {
      names,
      add: (name) => void names.add(name),
      toggle: (name, on) => void (on ? names.add(name) : names.delete(name)),
    };
  }

  get children() {
    return this.kids.filter((kid) => kid instanceof Element);
  }

  get firstChild() {
    return this.kids[0] ?? null;
  }

  get firstElementChild() {
    return this.children[0] ?? null;
  }

  get nextElementSibling() {
    const all = this.parentElement.children;
    return all[all.indexOf(this) + 1] ?? null;
  }

  get isConnected() {
    return true;
  }

  get textContent() {
    return this.kids.map((kid) => (kid instanceof Element ? kid.textContent : kid)).join("");
  }

  set textContent(value) {
    this.kids = value === "" ? [] : [value];
  }

  append(...kids) {
    for (const kid of kids) this.#add(kid, this.kids.length);
  }

  insertBefore(kid, before) {
    this.#add(kid, before === null ? this.kids.length : this.kids.indexOf(before));
    return kid;
  }

  replaceChildren(...kids) {
    this.kids = [];
    this.append(...kids);
  }

  remove() {
    const { parentElement: parent } = this;
    if (parent !== null) parent.kids.splice(parent.kids.indexOf(this), 1);
    this.parentElement = null;
  }

  #add(kid, at) {
    if (kid instanceof Element) {
      const from = kid.parentElement === this ? this.kids.indexOf(kid) : -1;
      kid.remove();
      kid.parentElement = this;
      if (from !== -1 && from < at) at -= 1;
    }
    this.kids.splice(at, 0, kid);
  }

  setAttribute(name, value) {
    this.attributes.set(name, String(value));
    if (name === "hidden") this.hidden = true;
    if (name === "id") this.id = String(value);
  }

  getAttribute(name) {
    return this.attributes.get(name) ?? null;
  }

  hasAttribute(name) {
    return this.attributes.has(name);
  }

  removeAttribute(name) {
    this.attributes.delete(name);
    if (name === "hidden") this.hidden = false;
  }

  addEventListener(name, listener) {
    this.listeners.set(name, [...(this.listeners.get(name) ?? []), listener]);
  }

  /** Only what the views ask for: the first element by its tag. */
  querySelector(selector) {
    return this.all().find((element) => element.tag === selector) ?? null;
  }

  /** Every element inside, in order. */
  all() {
    return this.children.flatMap((kid) => [kid, ...kid.all()]);
  }

  /** The texts of elements of a class that are shown. */
  texts(name) {
    return this.all()
      .filter((element) => element.getAttribute("class")?.split(" ").includes(name) && !element.hidden)
      .map((element) => element.textContent);
  }

  press() {
    for (const listener of this.listeners.get("click") ?? []) listener({ preventDefault() {}, target: this });
  }

  focus() {
    document.activeElement = this;
  }

  scrollIntoView() {}
}

/** Put it in place of the browser's. */
export function useDom() {
  globalThis.HTMLElement = Element;
  globalThis.document = {
    createElement: (tag) => new Element(tag),
    querySelector: () => null,
    addEventListener: () => {},
    head: new Element("head"),
    activeElement: null,
  };
}
