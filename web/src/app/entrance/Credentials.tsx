import { Button, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { type FormEvent, type KeyboardEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { TroubleText } from "../../ui/TroubleText";

const LEAST = 12;

interface Props {
  /** Raises: Trouble. */
  onSend: (name: string, password: string) => Promise<unknown>;
  send: string;
  /** A new account: the password is to be chosen. */
  fresh?: boolean;
  name?: string;
}

/** Name and password. */
export function Credentials({ onSend, send, fresh, name: given = "" }: Props) {
  const { t } = useTranslation();
  const [name, setName] = useState(given);
  const [password, setPassword] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const [caps, setCaps] = useState(false);
  const short = fresh && [...password].length < LEAST;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (busy || short) return;
    setBusy(true);
    setError(null);
    onSend(name, password)
      .catch(setError)
      .finally(() => setBusy(false));
  };
  const look = (event: KeyboardEvent) => setCaps(event.getModifierState("CapsLock"));
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput
          label={t("door.name")}
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          maxLength={64}
          required
          withAsterisk={false}
          data-autofocus={!given || undefined}
          autoFocus={!given}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <PasswordInput
          label={t("door.password")}
          description={fresh ? t("door.passwordRule", { count: LEAST }) : undefined}
          autoComplete={fresh ? "new-password" : "current-password"}
          maxLength={256}
          required
          withAsterisk={false}
          autoFocus={Boolean(given)}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          onKeyUp={look}
          visibilityToggleButtonProps={{ "aria-label": t("door.show"), tabIndex: 0 }}
        />
        {caps && (
          <Text size="xs" c="var(--ouzel-live)" role="status">
            {t("door.caps")}
          </Text>
        )}
        <TroubleText error={error} />
        <Button type="submit" size="md" loading={busy} disabled={short}>
          {send}
        </Button>
      </Stack>
    </form>
  );
}
