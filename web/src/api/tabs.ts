/** What tabs of one browser do together. Web Locks are there over TLS and on localhost alone, so there is a way without them. */

const LEASE_MS = 8000;
const RENEW_MS = 2500;
const own = Array.from(crypto.getRandomValues(new Uint32Array(2)), (each) => each.toString(36)).join("");

interface Lease {
  who: string;
  until: number;
}

function read(key: string): Lease | null {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "null");
  } catch {
    return null;
  }
}

function take(key: string): boolean {
  const held = read(key);
  if (held && held.who !== own && held.until > Date.now()) return false;
  try {
    localStorage.setItem(key, JSON.stringify({ who: own, until: Date.now() + LEASE_MS }));
  } catch {
    return true; // a browser that stores nothing shares nothing: this tab is alone
  }
  return read(key)?.who === own;
}

function wait(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      done();
    });
  });
}

async function leased<T>(name: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T | undefined> {
  const key = `ouzel.lease.${name}`;
  while (!signal?.aborted) {
    if (take(key)) {
      await wait(60, signal); // two that took it at once: who wrote last has it
      if (read(key)?.who === own || read(key) === null) break;
    }
    await wait(RENEW_MS / 4 + Math.random() * 300, signal);
  }
  if (signal?.aborted) return undefined;
  const renew = setInterval(() => take(key), RENEW_MS);
  const give = () => {
    if (read(key)?.who === own) localStorage.removeItem(key);
  };
  addEventListener("pagehide", give);
  try {
    return await work();
  } finally {
    clearInterval(renew);
    removeEventListener("pagehide", give);
    give();
  }
}

/** Do it while no other tab does something of that name. Waits for its turn. */
export async function alone<T>(name: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T | undefined> {
  if (!navigator.locks) return leased(name, work, signal);
  try {
    return await navigator.locks.request(`ouzel.${name}`, { signal: signal ?? new AbortController().signal }, work);
  } catch (error) {
    if (signal?.aborted) return undefined;
    throw error;
  }
}

/** Tell the other tabs, and hear them. */
export class Channel<T> {
  private readonly channel: BroadcastChannel | null;

  constructor(name: string, heard: (message: T) => void) {
    this.channel = "BroadcastChannel" in globalThis ? new BroadcastChannel(`ouzel.${name}.${location.host}`) : null;
    if (this.channel) this.channel.onmessage = (event) => heard(event.data as T);
  }

  tell(message: T): void {
    this.channel?.postMessage(message);
  }

  close(): void {
    this.channel?.close();
  }
}
