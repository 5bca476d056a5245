/** Three quiet tones, made here: one calls, one asks, one tells of one's turn. Whether they sound is remembered in this browser. */

const KEPT = { call: "chat.look.bell", ask: "chat.look.bell-ask", turn: "chat.look.bell-turn" };
const NOTES = { call: [523.25, 659.25, 783.99], ask: [440, 392], turn: [392, 523.25] };

/** @typedef {keyof typeof NOTES} Tone */

const LOUDNESS = 0.12;
const EACH_S = 0.22;

export class Bell {
  /** @param {Storage | null} storage @param {() => AudioContext} open */
  constructor(storage, open) {
    this.storage = storage;
    this.open = open;
    /** @type {AudioContext | null} */
    this.audio = null;
    this.on = { call: this.#kept("call", true), ask: this.#kept("ask", false), turn: this.#kept("turn", false) };
  }

  /** Browsers let a page sound only after somebody touched it: call this when they do. */
  wake() {
    try {
      this.audio ??= this.open();
      if (this.audio.state === "suspended") void this.audio.resume().catch(() => {});
    } catch {
      // No sound on this machine; the card and the tab's title are there.
    }
  }

  /** @param {Tone} which @param {boolean} on */
  set(which, on) {
    this.on[which] = on;
    try {
      this.storage?.setItem(KEPT[which], on ? "on" : "off");
    } catch {
      // It is so until the page is closed.
    }
  }

  /** @param {Tone} which */
  ring(which) {
    // Before somebody touched the page it would be silent, and complain of it.
    if (this.on[which] && globalThis.navigator?.userActivation?.hasBeenActive !== false) this.play(which);
  }

  /** @param {Tone} which */
  play(which) {
    this.wake();
    const { audio } = this;
    if (audio === null || audio.state !== "running") return;
    for (const [i, pitch] of NOTES[which].entries()) {
      const at = audio.currentTime + i * EACH_S;
      const tone = audio.createOscillator();
      const volume = audio.createGain();
      tone.type = "sine";
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(0, at);
      volume.gain.linearRampToValueAtTime(LOUDNESS, at + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.001, at + EACH_S * 2.5);
      tone.connect(volume).connect(audio.destination);
      tone.start(at);
      tone.stop(at + EACH_S * 2.5);
    }
  }

  /** @param {Tone} which @param {boolean} usual */
  #kept(which, usual) {
    try {
      const kept = this.storage?.getItem(KEPT[which]) ?? null;
      return kept === null ? usual : kept === "on";
    } catch {
      return usual;
    }
  }
}
