/** Server-sent events from raw bytes, however the network cut them (HTML standard, §9.2.6). */

export interface ServerEvent {
  /** The last `id` seen, empty before the first. */
  id: string;
  type: string;
  data: string;
}

/** A function that takes the next bytes and gives the events they completed. */
export function eventParser(): (bytes: Uint8Array) => ServerEvent[] {
  const decoder = new TextDecoder();
  let rest = "";
  let afterReturn = false;
  let id = "";
  let type = "";
  let data: string[] = [];

  function take(line: string): ServerEvent | null {
    if (!line) {
      const event = data.length ? { id, type: type || "message", data: data.join("\n") } : null;
      [type, data] = ["", []];
      return event;
    }
    const [, field, value] = /^([^:]*)(?:: ?([^]*))?$/.exec(line) as RegExpExecArray;
    if (field === "data") data.push(value ?? "");
    else if (field === "event") type = value;
    else if (field === "id") id = value;
    return null;
  }

  return (bytes) => {
    let text = decoder.decode(bytes, { stream: true });
    if (!text) return [];
    // A line ends with CR, LF or CRLF; the LF of a CRLF may only come with the next bytes.
    if (afterReturn && text[0] === "\n") text = text.slice(1);
    afterReturn = text.endsWith("\r");
    const lines = text.split(/\r\n?|\n/);
    lines[0] = rest + lines[0];
    rest = lines.pop() as string;
    return lines.map(take).filter((event) => event !== null);
  };
}
