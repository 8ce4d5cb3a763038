// The policy of pods, a field a line. The tables of fields are those of Kubernetes' documentation.
#include "manifests/rules/pod_security.h"

#include <gtest/gtest.h>

#include "manifests/yaml/yaml.h"

namespace manifests {
namespace {

using base::Json;

Json PodOf(const std::string& spec, const std::string& annotations = "{}") {
  YamlFile file = ParseYaml("metadata: {annotations: " + annotations + "}\nspec: " + spec + "\n");
  EXPECT_TRUE(file.errors.empty()) << file.errors[0].message;
  return file.documents.empty() ? Json() : std::move(file.documents[0]);
}

// The fields that a policy forbids, and the message if there is one only.
std::string Forbidden(const Json& pod, const PodSecurityPolicy& policy) {
  std::string fields;
  const std::vector<Problem> problems = CheckPodSecurity(pod, "", policy);
  for (const Problem& problem : problems) {
    EXPECT_EQ(problem.reason, "FieldValueForbidden");
    fields += (fields.empty() ? "" : " ") + problem.field;
  }
  return problems.size() == 1 ? fields + ": " + problems[0].message : fields;
}

std::string Baseline(const std::string& spec, int minor = kLatestPodSecurity) {
  return Forbidden(PodOf(spec), {PodSecurityLevel::kBaseline, minor});
}

std::string InContainer(const std::string& fields, int minor = kLatestPodSecurity) {
  std::string said = Baseline("{containers: [{name: a, " + fields + "}]}", minor);
  constexpr std::string_view kPrefix = "spec.containers[0].";
  if (said.starts_with(kPrefix)) said.erase(0, kPrefix.size());
  // Each rule holds for every kind of container.
  for (const std::string list : {"initContainers", "ephemeralContainers"}) {
    const std::string other = Baseline("{" + list + ": [{name: a, " + fields + "}]}", minor);
    EXPECT_EQ(other.empty(), said.empty()) << list << " " << fields;
  }
  return said;
}

TEST(PodSecurityTest, ALevelAndAVersionAreRead) {
  EXPECT_EQ(ParsePodSecurityLevel("baseline"), PodSecurityLevel::kBaseline);
  EXPECT_EQ(ParsePodSecurityLevel("Baseline"), std::nullopt);
  EXPECT_EQ(ParsePodSecurityVersion("latest"), kLatestPodSecurity);
  EXPECT_EQ(ParsePodSecurityVersion("v1.24"), 24);
  for (const char* wrong : {"", "v1", "v1.", "1.24", "v2.0", "v1.24.3", "v1.-1", "v1.99999999999"})
    EXPECT_EQ(ParsePodSecurityVersion(wrong), std::nullopt) << wrong;
  EXPECT_EQ(ToString(PodSecurityPolicy{PodSecurityLevel::kRestricted, 24}), "restricted:v1.24");
  EXPECT_EQ(ToString(PodSecurityPolicy{PodSecurityLevel::kBaseline}), "baseline:latest");
}

TEST(PodSecurityTest, PrivilegedForbidsNothing) {
  const Json pod = PodOf("{hostNetwork: true, volumes: [{name: v, hostPath: {path: /}}]}");
  EXPECT_EQ(Forbidden(pod, {PodSecurityLevel::kPrivileged}), "");
}

TEST(PodSecurityTest, BaselineForbidsWhatReachesTheNode) {
  EXPECT_EQ(Baseline("{containers: [{name: a, image: i}], volumes: [{name: v, emptyDir: {}}]}"),
            "");
  EXPECT_EQ(Baseline("{hostNetwork: true, hostPID: true, hostIPC: true}"),
            "spec.hostNetwork spec.hostPID spec.hostIPC");
  EXPECT_EQ(Baseline("{volumes: [{name: a, nfs: {}}, {name: v, hostPath: {path: /}}]}"),
            "spec.volumes[1].hostPath: must not be used");
  EXPECT_EQ(InContainer("ports: [{containerPort: 1}, {containerPort: 2, hostPort: 80}]"),
            "ports[1].hostPort: must not be used");
  EXPECT_EQ(InContainer("securityContext: {privileged: true}"),
            "securityContext.privileged: must not be true");
  EXPECT_EQ(InContainer("securityContext: {procMount: Unmasked}"),
            "securityContext.procMount: must be Default");
  EXPECT_EQ(InContainer("securityContext: {procMount: Default}"), "");
}

TEST(PodSecurityTest, BaselineAllowsTheRuntimesOwnCapabilities) {
  EXPECT_EQ(InContainer("securityContext: {capabilities: {add: [CHOWN, SYS_CHROOT], drop: [ALL]}}"),
            "");
  EXPECT_EQ(
      InContainer("securityContext: {capabilities: {add: [KILL, NET_RAW]}}"),
      "securityContext.capabilities.add[1]: NET_RAW is not one of the capabilities that may be "
      "added");
}

TEST(PodSecurityTest, ProfilesAreNotSwitchedOff) {
  for (const std::string profile : {"appArmorProfile", "seccompProfile"}) {
    const std::string off = "securityContext: {" + profile + ": {type: Unconfined}}";
    const std::string on = "securityContext: {" + profile + ": {type: RuntimeDefault}}";
    EXPECT_EQ(InContainer(off),
              "securityContext." + profile + ".type: must be RuntimeDefault or Localhost");
    EXPECT_EQ(Baseline("{" + off + "}"),
              "spec.securityContext." + profile + ".type: must be RuntimeDefault or Localhost");
    EXPECT_EQ(InContainer(on) + Baseline("{" + on + "}"), "");
  }
  const auto annotated = [](const std::string& annotation, int minor) {
    return Forbidden(PodOf("{}", "{" + annotation + "}"), {PodSecurityLevel::kBaseline, minor});
  };
  EXPECT_EQ(annotated("container.apparmor.security.beta.kubernetes.io/a: unconfined", 30),
            "metadata.annotations[container.apparmor.security.beta.kubernetes.io/a]: must be "
            "runtime/default or localhost/NAME");
  EXPECT_EQ(annotated("container.apparmor.security.beta.kubernetes.io/a: localhost/x", 30), "");
  const std::string seccomp = "seccomp.security.alpha.kubernetes.io/pod: unconfined";
  EXPECT_NE(annotated(seccomp, 18), "");
  EXPECT_EQ(annotated(seccomp, 19), "");
  EXPECT_EQ(InContainer("securityContext: {seccompProfile: {type: Unconfined}}", 18), "");
}

TEST(PodSecurityTest, SeLinuxKeepsItsUserRoleAndTypes) {
  EXPECT_EQ(InContainer("securityContext: {seLinuxOptions: {type: container_t, level: s0}}"), "");
  EXPECT_EQ(InContainer("securityContext: {seLinuxOptions: {type: spc_t, user: u, role: r}}"),
            "securityContext.seLinuxOptions.type "
            "spec.containers[0].securityContext.seLinuxOptions.user "
            "spec.containers[0].securityContext.seLinuxOptions.role");
  const std::string engine = "securityContext: {seLinuxOptions: {type: container_engine_t}}";
  EXPECT_EQ(InContainer(engine, 31), "");
  EXPECT_NE(InContainer(engine, 30), "");
}

TEST(PodSecurityTest, SysctlsAreSafeFromSomeVersionOn) {
  const auto with = [](const std::string& name, int minor) {
    return Baseline("{securityContext: {sysctls: [{name: " + name + ", value: '1'}]}}", minor);
  };
  EXPECT_EQ(with("net.ipv4.tcp_syncookies", 0), "");
  EXPECT_EQ(with("net.ipv4.tcp_rmem", 32), "");
  EXPECT_EQ(
      with("net.ipv4.tcp_rmem", 31),
      "spec.securityContext.sysctls[0].name: net.ipv4.tcp_rmem is not one of the safe sysctls");
  EXPECT_NE(with("kernel.msgmax", kLatestPodSecurity), "");
}

TEST(PodSecurityTest, WindowsHostProcessesAreForbidden) {
  EXPECT_EQ(InContainer("securityContext: {windowsOptions: {hostProcess: true}}"),
            "securityContext.windowsOptions.hostProcess: must not be true");
  EXPECT_EQ(Baseline("{securityContext: {windowsOptions: {hostProcess: true}}}"),
            "spec.securityContext.windowsOptions.hostProcess: must not be true");
}

TEST(PodSecurityTest, ProbesAndHooksAskThePodItself) {
  for (const std::string handler : {"livenessProbe", "readinessProbe", "startupProbe",
                                    "lifecycle: {postStart", "lifecycle: {preStop"}) {
    const std::string end = handler.starts_with("lifecycle") ? "}" : "";
    for (const std::string kind : {"httpGet", "tcpSocket"}) {
      const auto asked = [&](const std::string& host, int minor) {
        return InContainer(handler + ": {" + kind + ": {port: 80, host: '" + host + "'}}" + end,
                           minor);
      };
      EXPECT_NE(asked("169.254.169.254", 34), "") << handler << " " << kind;
      EXPECT_EQ(asked("169.254.169.254", 33), "") << handler << " " << kind;
      EXPECT_EQ(asked("", 34), "") << handler << " " << kind;
    }
  }
}

// plumb does not act on hostUsers, nor on procMount, and no node of its runs windows.
TEST(PodSecurityTest, LessIsAskedOfWhatCannotReachTheNode) {
  const std::string unmasked = "containers: [{securityContext: {procMount: Unmasked}}]}";
  EXPECT_EQ(Baseline("{hostUsers: false, " + unmasked, 35), "");
  EXPECT_NE(Baseline("{hostUsers: false, " + unmasked, 34), "");
  EXPECT_NE(Baseline("{hostUsers: true, " + unmasked), "");
  const auto restricted = [](const std::string& spec, int minor) {
    return Forbidden(PodOf(spec), {PodSecurityLevel::kRestricted, minor});
  };
  EXPECT_NE(restricted("{hostUsers: false, containers: [{name: a}]}", 35), "");
  const std::string windows =
      "{os: {name: windows}, securityContext: {runAsNonRoot: true}, containers: [{name: a}]}";
  EXPECT_EQ(restricted(windows, 25), "");
  EXPECT_NE(restricted(windows, 24), "");
}

constexpr char kConfined[] =
    "{securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}, "
    "containers: [{name: a, securityContext: {allowPrivilegeEscalation: false, "
    "capabilities: {drop: [ALL]}}}]}";

std::string Restricted(const std::string& spec, int minor = kLatestPodSecurity) {
  return Forbidden(PodOf(spec), {PodSecurityLevel::kRestricted, minor});
}

TEST(PodSecurityTest, RestrictedAsksForWhatConfines) {
  EXPECT_EQ(Restricted(kConfined), "");
  const std::string at = "spec.containers[0].securityContext.";
  EXPECT_EQ(Restricted("{containers: [{name: a}]}"),
            at + "allowPrivilegeEscalation " + at + "runAsNonRoot " + at + "seccompProfile.type " +
                at + "capabilities.drop");
  EXPECT_EQ(Restricted("{containers: [{name: a}]}", 21),
            at + "allowPrivilegeEscalation " + at + "runAsNonRoot " + at + "seccompProfile.type");
  EXPECT_EQ(Restricted("{containers: [{name: a}]}", 18),
            at + "allowPrivilegeEscalation " + at + "runAsNonRoot");
  EXPECT_EQ(Restricted("{containers: [{name: a}]}", 7),
            at + "runAsNonRoot: must be true, here or for the pod");
}

std::string RestrictedBut(const std::string& from, const std::string& to,
                          int minor = kLatestPodSecurity) {
  std::string spec = kConfined;
  const size_t place = spec.find(from);
  EXPECT_NE(place, spec.npos);
  return Restricted(spec.replace(place, from.size(), to), minor);
}

TEST(PodSecurityTest, RestrictedForbidsWhatUndoesIt) {
  const std::string at = "spec.containers[0].securityContext.";
  EXPECT_EQ(RestrictedBut("drop: [ALL]", "drop: [ALL], add: [NET_BIND_SERVICE]"), "");
  EXPECT_EQ(RestrictedBut("drop: [ALL]", "drop: [ALL], add: [CHOWN]"),
            at + "capabilities.add[0]: only NET_BIND_SERVICE may be added");
  EXPECT_EQ(RestrictedBut("drop: [ALL]", "drop: [NET_RAW]"),
            at + "capabilities.drop: must have ALL");
  EXPECT_EQ(
      RestrictedBut("allowPrivilegeEscalation", "runAsNonRoot: false, allowPrivilegeEscalation"),
      at + "runAsNonRoot: must be true");
  EXPECT_EQ(RestrictedBut("allowPrivilegeEscalation", "runAsUser: 0, allowPrivilegeEscalation"),
            at + "runAsUser: must not be 0");
  EXPECT_EQ(RestrictedBut("allowPrivilegeEscalation", "runAsUser: 0, allowPrivilegeEscalation", 22),
            "");
  EXPECT_EQ(RestrictedBut("runAsNonRoot: true", "runAsNonRoot: true, runAsUser: 0"),
            "spec.securityContext.runAsUser: must not be 0");
  EXPECT_EQ(RestrictedBut("containers:",
                          "volumes: [{name: a, secret: {}}, {name: b, nfs: {}}, "
                          "{name: c, hostPath: {}}], containers:"),
            "spec.volumes[1].nfs spec.volumes[2].hostPath");
  EXPECT_EQ(RestrictedBut("containers:", "hostPID: true, containers:"),
            "spec.hostPID: must not be true");
}

TEST(PodSecurityTest, ATemplateIsJudgedAtItsPath) {
  const std::vector<Problem> problems =
      CheckPodSecurity(PodOf("{hostPID: true}",
                             "{container.apparmor.security.beta.kubernetes.io/a: "
                             "unconfined}"),
                       "spec.template", {PodSecurityLevel::kBaseline});
  ASSERT_EQ(problems.size(), 2u);
  EXPECT_EQ(problems[0].field, "spec.template.spec.hostPID");
  EXPECT_EQ(problems[0].mark.line, 2u);
  EXPECT_EQ(problems[1].field,
            "spec.template.metadata.annotations[container.apparmor.security.beta.kubernetes.io/a]");
}

// A value of the wrong type is the schema's to refuse.
TEST(PodSecurityTest, AnyShapeIsLookedAt) {
  for (const std::string spec :
       {"null", "[]", "x", "{containers: {a: b}}", "{containers: [1, null]}", "{volumes: [x]}",
        "{securityContext: [], containers: [{securityContext: {capabilities: {add: x}}, ports: "
        "3}]}"}) {
    (void)Restricted(spec);
  }
}

}  // namespace
}  // namespace manifests
