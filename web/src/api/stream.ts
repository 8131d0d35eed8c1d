/** Server-sent events, read by hand: EventSource neither shows the status of a refusal nor hears events of all names. */

export interface Frame {
  event: string;
  id: string;
  data: string;
}

/** Frames out of pieces of text, however they were cut. */
export class FrameReader {
  private rest = "";

  take(piece: string): Frame[] {
    this.rest += piece.replaceAll("\r", "");
    const blocks = this.rest.split("\n\n");
    this.rest = blocks.pop() ?? "";
    return blocks.map(parse).filter((each) => each.data || each.id);
  }
}

function parse(block: string): Frame {
  const frame: Frame = { event: "", id: "", data: "" };
  for (const line of block.split("\n")) {
    const [, name, value] = /^(event|id|data): ?(.*)$/.exec(line) ?? [];
    if (name === "data") frame.data += (frame.data ? "\n" : "") + value;
    else if (name === "event" || name === "id") frame[name] = value ?? "";
  }
  return frame;
}
