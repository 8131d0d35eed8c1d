import { Text } from "@mantine/core";
import { useRouter, useSearch } from "@tanstack/react-router";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { PREFIX } from "../../api/base";
import { signIn, useSession } from "../../api/session";
import { Credentials } from "./Credentials";
import { Door } from "./Door";

/** Only an address of this page: a link may not lead to another site after signing in. */
function inside(to: string | undefined): string {
  return to?.startsWith("/") && !to.startsWith("//") && !to.includes("\\") ? to : "/";
}

export function SignIn() {
  const { t } = useTranslation();
  const { to } = useSearch({ from: "/sign-in" });
  const router = useRouter();
  const signedIn = useSession((session) => session.state === "in");
  useEffect(() => {
    if (signedIn) router.history.replace(PREFIX + inside(to));
  }, [router, signedIn, to]);
  if (signedIn) return null;
  return (
    <Door title={t("app.name")} text={t("door.motto")}>
      <Credentials onSend={signIn} send={t("door.signIn")} />
      <Text size="xs" c="dimmed" mt="md">
        {t("door.forgotten")}
      </Text>
    </Door>
  );
}
