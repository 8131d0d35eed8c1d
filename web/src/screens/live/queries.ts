import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { api, told } from "../../api/client";
import type { components } from "../../made/schema";
import { done, failed } from "../../ui/toast";

export type Channel = components["schemas"]["ChannelOut"];
const AT_ONCE = 200;
const WHILE_RECORDING_MS = 5000;

/** All channels that one may see. Pages are asked for one after the other until all are here. */
export function useChannels() {
  const query = useInfiniteQuery({
    queryKey: ["channels", "all"],
    queryFn: ({ pageParam }) =>
      told(
        api.GET("/api/channels", { params: { query: { limit: AT_ONCE, ...(pageParam && { cursor: pageParam }) } } }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    // no event tells how far a recording is
    refetchInterval: (query) =>
      query.state.data?.pages.some((page) => page.items.some((each) => each.recording)) ? WHILE_RECORDING_MS : false,
  });
  const { hasNextPage, isFetchingNextPage, fetchNextPage, isError } = query;
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage && !isError) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage, isError]);
  return { ...query, channels: query.data?.pages.flatMap((page) => page.items) };
}

export function useChannel(id: string) {
  return useQuery({
    queryKey: ["channels", id],
    queryFn: () => told(api.GET("/api/channels/{channel_id}", { params: { path: { channel_id: id } } })),
    refetchInterval: (query) => (query.state.data?.recording ? WHILE_RECORDING_MS : false),
  });
}

/** What a person does with a channel. Each says what became of it. */
export function useActions(channel: { id: string; name: string }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const params = { params: { path: { channel_id: channel.id } } };
  const fresh = () => client.invalidateQueries({ queryKey: ["channels"] });
  const act = useMutation({
    mutationFn: (what: "record" | "stop" | "split" | "check") => {
      if (what === "record") return told(api.POST("/api/channels/{channel_id}/record", params));
      if (what === "stop") return told(api.POST("/api/channels/{channel_id}/stop", params));
      if (what === "split") return told(api.POST("/api/channels/{channel_id}/split", params));
      return told(api.POST("/api/channels/{channel_id}/check", params));
    },
    onSuccess: (_, what) => {
      done(t(`live.did.${what}`, { name: channel.name }));
      void fresh();
    },
    onError: failed,
  });
  const restore = () => told(api.POST("/api/channels/{channel_id}/restore", params)).then(fresh);
  const watch = (on: boolean) =>
    told(api.PATCH("/api/channels/{channel_id}", { ...params, body: { watch: on } })).then(fresh);
  return {
    act: act.mutate,
    busy: act.isPending ? act.variables : null,
    watch: (on: boolean) =>
      watch(on).then(
        () => done(t(on ? "live.did.watch" : "live.did.unwatch", { name: channel.name }), () => watch(!on)),
        failed,
      ),
    remove: () =>
      told(api.DELETE("/api/channels/{channel_id}", params)).then(() => {
        void fresh();
        done(t("live.did.remove", { name: channel.name }), restore);
      }, failed),
  };
}
