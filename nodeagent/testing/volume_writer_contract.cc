#include "nodeagent/testing/volume_writer_contract.h"

#include <utility>

namespace nodeagent {
namespace {

constexpr base::Duration kVolumeStepLimit = base::Duration::Seconds(60);

VolumeWrite Files(const std::string& version, std::vector<FileContent> files) {
  VolumeWrite volume;
  volume.name = "conf";
  volume.version = version;
  volume.files = std::move(files);
  return volume;
}

VolumeWrite Directory() {
  VolumeWrite volume;
  volume.name = "work";
  volume.kind = VolumeWrite::Kind::kDirectory;
  return volume;
}

}  // namespace

// The linker may also bring the suite into a program that has no use for it.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(VolumeWriterContract);

void PrintTo(const VolumeWriterUnderTest& writer, std::ostream* out) { *out << writer.name; }

std::string VolumeWriterName(const testing::TestParamInfo<VolumeWriterUnderTest>& info) {
  return info.param.name;
}

std::string VolumeWriterContract::Do(const std::function<void(VolumeWriter::DoneStatus)>& call) {
  const auto said = std::make_shared<std::string>();
  bool within = true;
  const bool answered = world_->runner().Run(
      [&] {
        call([said](const base::Status& status) { *said += status.ToString(); });
        within = !said->empty();
      },
      [said] { return !said->empty(); }, kVolumeStepLimit);
  EXPECT_FALSE(within) << "it answered from within the call";
  return answered ? *said : "no answer";
}

std::string VolumeWriterContract::Write(const VolumeWrite& volume) {
  return Do([&](auto done) { world_->writer().Write(pod_, {volume}, done); });
}

std::string VolumeWriterContract::Prepare(const std::vector<FileContent>& files,
                                          const std::vector<SubPath>& sub_paths) {
  return Do([&](auto done) { world_->writer().Prepare(pod_, files, sub_paths, done); });
}

std::string VolumeWriterContract::Message(const std::string& file, const std::string& log) {
  std::string message;
  const std::string said = Do([&](auto done) {
    world_->writer().ReadMessage(file, log, [&message, done](base::Result<std::string> text) {
      if (text.ok()) message = *text;
      done(text.status());
    });
  });
  return said == "OK" ? message : said;
}

TEST_P(VolumeWriterContract, AVolumeHasItsFilesByPath) {
  ASSERT_EQ(Write(Files("v1", {{"a", "one"}, {"sub/b", "two"}})), "OK");
  EXPECT_EQ(Read("volumes/conf/a") + " " + Read("volumes/conf/sub/b"), "one two");
}

TEST_P(VolumeWriterContract, ANewVersionHasNothingOfTheOldOne) {
  ASSERT_EQ(Write(Files("v1", {{"a", "one"}, {"b", "two"}})), "OK");
  ASSERT_EQ(Write(Files("v2", {{"a", "three"}, {"c", "four"}})), "OK");
  EXPECT_EQ(Read("volumes/conf/a") + " " + Read("volumes/conf/b") + " " + Read("volumes/conf/c"),
            "three absent four");
}

TEST_P(VolumeWriterContract, WritingTwiceIsWritingOnce) {
  for (int i = 0; i < 2; ++i) ASSERT_EQ(Write(Files("v1", {{"a", "one"}})), "OK");
  EXPECT_EQ(Read("volumes/conf/a"), "one");
}

// As an agent that was restarted does.
TEST_P(VolumeWriterContract, ADirectoryKeepsWhatAContainerPutThere) {
  ASSERT_EQ(Write(Directory()), "OK");
  world_->Put(pod_ + "/volumes/work/data", "kept");
  ASSERT_EQ(Write(Directory()), "OK");
  EXPECT_EQ(Read("volumes/work/data"), "kept");
}

TEST_P(VolumeWriterContract, PreparedFilesAreReplaced) {
  ASSERT_EQ(Prepare({{"etc-hosts", "one"}}), "OK");
  ASSERT_EQ(Prepare({{"etc-hosts", "two"}}), "OK");
  EXPECT_EQ(Read("files/etc-hosts"), "two");
}

TEST_P(VolumeWriterContract, ASubPathIsMadeAsADirectoryAndKept) {
  ASSERT_EQ(Write(Directory()), "OK");
  const SubPath sub{pod_ + "/volumes/work", "x/y", pod_ + "/subpaths/main-0/0"};
  ASSERT_EQ(Prepare({}, {sub}), "OK");
  world_->Put(pod_ + "/volumes/work/x/y/data", "kept");
  ASSERT_EQ(Prepare({}, {sub}), "OK");
  EXPECT_EQ(Read("volumes/work/x/y/data"), "kept");
}

TEST_P(VolumeWriterContract, APlaceShowsItsSubPathAndTakesNothingWithIt) {
  ASSERT_EQ(Write(Directory()), "OK");
  const std::string work = pod_ + "/volumes/work", instances = pod_ + "/subpaths/";
  ASSERT_EQ(Prepare({}, {{work, "x", instances + "main-0/0"}, {work, "y", instances + "main-0/1"}}),
            "OK");
  world_->Put(work + "/x/data", "one");
  world_->Put(work + "/y/data", "two");
  EXPECT_EQ(Read("subpaths/main-0/0/data") + " " + Read("subpaths/main-0/1/data"), "one two");
  // Its successor looks for itself.
  ASSERT_EQ(Prepare({}, {{work, "y", instances + "main-1/0"}}), "OK");
  ASSERT_EQ(Do([&](auto done) { world_->writer().Remove({instances + "main-0"}, done); }), "OK");
  EXPECT_EQ(Read("subpaths/main-0/0/data") + " " + Read("subpaths/main-1/0/data") + " " +
                Read("volumes/work/x/data"),
            "absent two one");
}

TEST_P(VolumeWriterContract, APlaceThatIsPreparedAgainShowsTheNewSubPath) {
  ASSERT_EQ(Write(Directory()), "OK");
  const std::string work = pod_ + "/volumes/work", place = pod_ + "/subpaths/main-0/0";
  ASSERT_EQ(Prepare({}, {{work, "x", place}}), "OK");
  ASSERT_EQ(Prepare({}, {{work, "y", place}}), "OK");
  world_->Put(work + "/y/data", "two");
  EXPECT_EQ(Read("subpaths/main-0/0/data"), "two");
}

// As a volume of the host's is.
TEST_P(VolumeWriterContract, RemoveLeavesWhatPlacesShow) {
  const std::string host = pod_ + "-host";
  const auto prepare = [&](const SubPath& sub) {
    return Do([&](auto done) { world_->writer().Prepare(pod_, {}, {sub}, done); });
  };
  ASSERT_EQ(Do([&](auto done) { world_->writer().Write(host, {Directory()}, done); }), "OK");
  ASSERT_EQ(prepare({host + "/volumes/work", "x", pod_ + "/subpaths/main-0/0"}), "OK");
  world_->Put(host + "/volumes/work/x/data", "kept");
  ASSERT_EQ(Do([&](auto done) { world_->writer().Remove({pod_}, done); }), "OK");
  EXPECT_EQ(Read("subpaths/main-0/0/data"), "absent");
  EXPECT_EQ(world_->Read(host + "/volumes/work/x/data"), "kept");
}

TEST_P(VolumeWriterContract, RemoveTakesAllOfThePodAndNothingElse) {
  ASSERT_EQ(Write(Files("v1", {{"a", "one"}})), "OK");
  ASSERT_EQ(Prepare({{"etc-hosts", "one"}}), "OK");
  const auto remove = [&](const std::string& directory) {
    return Do([&](auto done) { world_->writer().Remove({directory}, done); });
  };
  EXPECT_EQ(remove(pod_ + "-other"), "OK") << "what is not there is removed";
  EXPECT_EQ(Read("volumes/conf/a"), "one");
  EXPECT_EQ(remove(pod_), "OK");
  EXPECT_EQ(Read("volumes/conf/a") + " " + Read("files/etc-hosts"), "absent absent");
  EXPECT_EQ(remove(pod_), "OK");
}

TEST_P(VolumeWriterContract, LastWordsAreOfTheFileElseOfTheLog) {
  ASSERT_EQ(Prepare({{"message", ""},
                     {"spoken", "from the file"},
                     {"log", "2026-01-01T00:00:00Z stderr F from the log\n"}}),
            "OK");
  const std::string files = pod_ + "/files/";
  EXPECT_EQ(Message(files + "spoken", files + "log"), "from the file");
  EXPECT_EQ(Message(files + "message", files + "log"), "from the log\n");
  EXPECT_EQ(Message(files + "message", ""), "");
  EXPECT_EQ(Message(files + "none", files + "none"), "");
}

}  // namespace nodeagent
