const KEPT = 100_000;

/** The ids of the last notifications that were handled; the oldest is forgotten first. */
export class SeenIds {
  #ids = new Set();

  has(id) {
    return this.#ids.has(id);
  }

  add(id) {
    this.#ids.add(id);
    if (this.#ids.size > KEPT) {
      this.#ids.delete(this.#ids.values().next().value);
    }
  }
}
