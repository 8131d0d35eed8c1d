import { ActionIcon, Badge, Group, Indicator, Popover, ScrollArea, Stack, Text, Tooltip } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Bell as BellIcon, Check } from "lucide-react";
import { useTranslation } from "react-i18next";
import { api, told } from "../api/client";
import { useMay } from "../api/session";
import { failed } from "../ui/toast";
import { useNoticeText } from "../words/notices";
import { useNumbers } from "../words/numbers";

const SHOWN = 20;
const COLOURS = { info: "ouzel", warning: "ember", error: "red" } as const;

export function Bell() {
  const { t } = useTranslation();
  const { ago, count } = useNumbers();
  const text = useNoticeText();
  const client = useQueryClient();
  const mayDismiss = useMay("write");
  const { data } = useQuery({
    queryKey: ["notices", "bell"],
    queryFn: () => told(api.GET("/api/notices", { params: { query: { open: true, limit: SHOWN, count: "exact" } } })),
  });
  const dismiss = useMutation({
    mutationFn: (id: string) =>
      told(api.POST("/api/notices/{notice_id}/dismiss", { params: { path: { notice_id: id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["notices"] }),
    onError: failed,
  });
  const open = data?.total ?? data?.items.length ?? 0;
  return (
    <Indicator disabled={!open} label={count(open)} size={17} color="ember" offset={5}>
      <Popover width={380} position="bottom-end" shadow="lg">
        <Popover.Target>
          <ActionIcon
            size="lg"
            aria-label={open ? `${t("app.bell.title")}: ${t("app.bell.open", { count: open })}` : t("app.bell.title")}
          >
            <BellIcon size={18} />
          </ActionIcon>
        </Popover.Target>
        <Popover.Dropdown p={0}>
          <Text fw={650} p="sm" pb="xs">
            {t("app.bell.title")}
          </Text>
          <ScrollArea.Autosize mah={420} px="sm" pb="sm">
            <Stack gap="sm">
              {!open && (
                <Text size="sm" c="dimmed">
                  {t("app.bell.none")}
                </Text>
              )}
              {data?.items.map((each) => (
                <Group key={each.id} wrap="nowrap" align="flex-start" gap="xs">
                  <Stack gap={3} style={{ flex: 1, minWidth: 0 }}>
                    <Group gap={6}>
                      <Badge size="xs" variant="light" color={COLOURS[each.severity]}>
                        {t(`app.bell.severity.${each.severity}`)}
                      </Badge>
                      <Text size="xs" c="dimmed">
                        {ago(each.last_at)}
                      </Text>
                    </Group>
                    <Text size="sm" style={{ overflowWrap: "anywhere" }}>
                      {text(each)}
                    </Text>
                  </Stack>
                  {mayDismiss && (
                    <Tooltip label={t("app.bell.dismiss")}>
                      <ActionIcon aria-label={t("app.bell.dismiss")} onClick={() => dismiss.mutate(each.id)}>
                        <Check size={16} />
                      </ActionIcon>
                    </Tooltip>
                  )}
                </Group>
              ))}
            </Stack>
          </ScrollArea.Autosize>
        </Popover.Dropdown>
      </Popover>
    </Indicator>
  );
}
