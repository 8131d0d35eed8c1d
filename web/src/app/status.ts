import { useQuery } from "@tanstack/react-query";
import { api, told } from "../api/client";

/** What `/api/status` tells of what is at work. Its schema is open: only what is used stands here. */
export interface Status {
  version: string;
  totals: { channels: number; on_air: number; recording: number; troubled: number; bitrate_bps: number; gaps: number };
  tasks: { kind: "process" | "recording" | "download" | "job" | "other"; key: string; name: string; state: string }[];
  roots: { name: string; folder: string; free_bytes: number | null; min_free_bytes: number }[];
  channels: { id: string; bitrate_bps: number; quality: string; file: string }[];
}

export function useStatus() {
  return useQuery({
    queryKey: ["status"],
    queryFn: async () => (await told(api.GET("/api/status"))) as unknown as Status,
    refetchInterval: (query) => ((query.state.data?.totals.recording ?? 0) > 0 ? 5000 : 30_000),
  });
}
