import { useElementSize } from "@mantine/hooks";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useRef } from "react";
import classes from "./Live.module.css";
import type { Channel } from "./queries";

const LEAST_WIDTH = 290;
const GAP = 14;
const HEIGHT = 164;

/** A grid of tiles of one size, of which only those in sight are there. */
export function Tiles({ channels, render }: { channels: Channel[]; render: (channel: Channel) => ReactNode }) {
  const { ref, width } = useElementSize();
  const place = useRef<HTMLDivElement>(null);
  const columns = Math.max(1, Math.floor((width + GAP) / (LEAST_WIDTH + GAP)));
  const rows = useWindowVirtualizer({
    count: width ? Math.ceil(channels.length / columns) : 0,
    estimateSize: () => HEIGHT + GAP,
    overscan: 3,
    scrollMargin: place.current?.offsetTop ?? 0,
  });
  return (
    <div ref={place}>
      <div ref={ref} style={{ position: "relative", height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map((row) => (
          <div
            key={row.key}
            className={classes.row}
            style={{
              gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`,
              transform: `translateY(${row.start - rows.options.scrollMargin}px)`,
            }}
          >
            {channels.slice(row.index * columns, (row.index + 1) * columns).map((channel) => (
              <div key={channel.id}>{render(channel)}</div>
            ))}
          </div>
        ))}
      </div>
    </div>
  );
}
