import { Code, Group, Loader, Progress, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { CircleAlert, CircleCheck } from "lucide-react";
import { useTranslation } from "react-i18next";
import { api, told } from "../../api/client";
import { TroubleText } from "../../ui/TroubleText";
import { useNumbers } from "../../words/numbers";

export function StorageStep() {
  const { t } = useTranslation();
  const { size } = useNumbers();
  const { data, error } = useQuery({ queryKey: ["storage"], queryFn: () => told(api.GET("/api/storage")) });
  if (error) return <TroubleText error={error} />;
  if (!data) return <Loader />;
  return (
    <Stack>
      <Text size="sm" c="dimmed">
        {t("door.setup.storageText")}
      </Text>
      {data.items.map((root) => {
        const well = root.state === "open";
        const share = root.total_bytes ? (1 - root.free_bytes / root.total_bytes) * 100 : 0;
        return (
          <Stack key={root.name} gap={6}>
            <Group gap="xs">
              {well ? (
                <CircleCheck size={18} color="var(--ouzel-good)" aria-hidden />
              ) : (
                <CircleAlert size={18} color="var(--ouzel-bad)" aria-hidden />
              )}
              <Text fw={600}>{root.name}</Text>
              <Code>{root.folder}</Code>
            </Group>
            <Progress value={share} color={well ? "ouzel" : "red"} aria-label={t("door.setup.used")} />
            <Text size="sm" c="dimmed">
              {t("door.setup.free", { free: size(root.free_bytes), total: size(root.total_bytes) })}
              {root.why ? ` · ${root.why}` : ""}
            </Text>
          </Stack>
        );
      })}
    </Stack>
  );
}
