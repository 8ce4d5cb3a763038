#include "plumb/reports/backup_format.h"

#include <gtest/gtest.h>

namespace plumb {
namespace {

std::string Backup() {
  BackupWriter writer;
  std::string bytes = writer.Write(FrameKind::kHead, "{}");
  bytes += writer.Write(FrameKind::kObject, "one");
  bytes += writer.Write(FrameKind::kObject, "two");
  return bytes + writer.Write(FrameKind::kEnd, "{}");
}

// "H{} Oone Z{}", then how it ended; fed `step` bytes at a time.
std::string Read(const std::string& bytes, size_t step = 1) {
  BackupReader reader;
  std::string text;
  base::Status status;
  for (size_t at = 0; at < bytes.size() && status.ok(); at += step) {
    status = reader.Feed(std::string_view(bytes).substr(at, step), [&](const BackupFrame& frame) {
      text += static_cast<char>(frame.kind) + frame.payload + " ";
      return base::Status();
    });
  }
  if (status.ok()) status = reader.Finish();
  return text + (status.ok() ? "whole" : std::string(status.message()));
}

TEST(BackupFormatTest, FramesComeBackInPiecesOfAnySize) {
  for (const size_t step : {1, 7, 1000}) {
    EXPECT_EQ(Read(Backup(), step), "H{} Oone Otwo Z{} whole") << step;
  }
}

TEST(BackupFormatTest, EveryFlippedByteIsSeen) {
  const std::string good = Backup();
  for (size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    EXPECT_FALSE(Read(bad, 1000).ends_with("whole")) << "byte " << at;
  }
}

TEST(BackupFormatTest, EveryTruncationIsSeen) {
  const std::string good = Backup();
  for (size_t length = 0; length < good.size(); ++length) {
    EXPECT_FALSE(Read(good.substr(0, length), 1000).ends_with("whole")) << length << " bytes";
  }
}

TEST(BackupFormatTest, AFrameThatIsMissingOrMovedIsSeen) {
  BackupWriter writer;
  const std::string head = writer.Write(FrameKind::kHead, "{}"),
                    one = writer.Write(FrameKind::kObject, "one"),
                    two = writer.Write(FrameKind::kObject, "two"),
                    end = writer.Write(FrameKind::kEnd, "{}");
  const std::string wrong = "a checksum is wrong; use another one";
  EXPECT_TRUE(Read(head + two + end).ends_with(wrong));
  EXPECT_TRUE(Read(head + two + one + end).ends_with(wrong));
  EXPECT_EQ(Read(head + one + two + end + "x"),
            "H{} Oone Otwo Z{} the backup is damaged at byte 61: something follows its end; use "
            "another one");
}

TEST(BackupFormatTest, OtherFilesAndNewerFormatsAreRefused) {
  EXPECT_EQ(Read("apiVersion: v1\n"), "this is no backup of plumb");
  EXPECT_EQ(Read(""), "this is no backup of plumb");
  EXPECT_EQ(Read("plumb backup 2\n"),
            "the backup has format 2, this plumb reads up to 1; restore it with a newer plumb");
}

TEST(BackupFormatTest, AServerThatGaveUpSaysWhy) {
  BackupWriter writer;
  const std::string head = writer.Write(FrameKind::kHead, "{}");
  EXPECT_EQ(Read(head + writer.Write(FrameKind::kFailed, "git bundle failed")),
            "H{} the backup is not complete: git bundle failed");
}

}  // namespace
}  // namespace plumb
