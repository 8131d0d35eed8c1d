import { Badge, Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link2, Plus } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, once, told } from "../api/client";
import { TroubleText } from "./TroubleText";
import { done } from "./toast";

/** Paste the address of a channel: what it is, is shown before anything is added. */
export function AddChannel({ onAdded }: { onAdded: (id: string) => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [address, setAddress] = useState("");
  const [name, setName] = useState("");
  const [key, setKey] = useState(once);
  const [settled] = useDebouncedValue(address.trim(), 250);
  const preview = useQuery({
    queryKey: ["preview", settled],
    queryFn: () => told(api.POST("/api/channels/preview", { body: { address: settled } })),
    enabled: settled.length > 3,
    retry: false,
    gcTime: 0,
  });
  const add = useMutation({
    mutationFn: () =>
      told(
        api.POST("/api/channels", {
          params: { header: key },
          body: { addresses: [address.trim()], name: name.trim() },
        }),
      ),
    onSuccess: (channel) => {
      void client.invalidateQueries({ queryKey: ["channels"] });
      done(t("channel.added", { name: channel.name }));
      onAdded(channel.id);
    },
    onError: () => setKey(once()),
  });
  const known = preview.data?.existing;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (address.trim() && !known) add.mutate();
      }}
    >
      <Stack gap="sm">
        <TextInput
          label={t("channel.address")}
          placeholder="https://"
          leftSection={<Link2 size={16} aria-hidden />}
          type="url"
          inputMode="url"
          autoComplete="off"
          data-autofocus
          value={address}
          onChange={(event) => {
            setAddress(event.currentTarget.value);
            setKey(once());
            add.reset();
          }}
        />
        {preview.data && (
          <Group gap="xs">
            <Badge variant="light">{preview.data.platform}</Badge>
            <Text size="sm" c="dimmed" truncate maw={360}>
              {preview.data.address}
            </Text>
          </Group>
        )}
        {known && <Text size="sm">{t("channel.existing")}</Text>}
        {settled.length > 3 && <TroubleText error={add.error ?? preview.error} />}
        <TextInput
          label={t("channel.name")}
          description={t("channel.nameText")}
          placeholder={preview.data?.name}
          maxLength={200}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Group justify="flex-end">
          <Button
            type="submit"
            leftSection={<Plus size={16} aria-hidden />}
            loading={add.isPending}
            disabled={!address.trim() || Boolean(known) || preview.isError}
          >
            {t("channel.add")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
