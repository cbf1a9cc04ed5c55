using ActorTrainer.Model.Checkpoints;
using Xunit;

namespace ActorTrainer.Tests.Checkpoints;

public sealed class CheckpointFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_run_without_exports_has_no_latest() => Assert.Null(CheckpointFolder.Latest(_folder.Path));

    [Fact]
    public void The_latest_is_the_highest_step_and_nothing_else_counts()
    {
        Write(100);
        Write(99_999_999);
        Write(100_000_000);
        Write(20);
        foreach (var name in new[] { "step-7", "step-", "step-000000200", "step--0000001", ".step-00000300.x.tmp", "step-00000400.old", "other" })
        {
            Directory.CreateDirectory(_folder[$"checkpoints/{name}"]);
        }

        Assert.Equal(_folder["checkpoints/step-100000000"], CheckpointFolder.Latest(_folder.Path));
        Assert.Equal([20, 100, 99_999_999, 100_000_000], CheckpointFolder.All(_folder.Path).Select(export => export.Step));
        Assert.Equal(_folder["checkpoints/step-00000020"], CheckpointFolder.All(_folder.Path)[0].Path);
    }

    [Fact]
    public void An_export_shows_up_only_when_it_is_complete()
    {
        Assert.Throws<IOException>(() => CheckpointFolder.Write(_folder.Path, 5, path =>
        {
            File.WriteAllText(Path.Combine(path, CheckpointFolder.ModelFile), "half");
            Assert.Null(CheckpointFolder.Latest(_folder.Path));
            throw new IOException("disk full");
        }));
        Assert.Contains(CheckpointFolder.ConfigFile, Assert.Throws<InvalidOperationException>(() => CheckpointFolder.Write(_folder.Path, 5, path =>
            File.WriteAllText(Path.Combine(path, CheckpointFolder.ModelFile), ""))).Message);
        Assert.Empty(Directory.GetFileSystemEntries(_folder["checkpoints"]));
    }

    [Fact]
    public void What_a_killed_export_left_goes_with_the_next()
    {
        Directory.CreateDirectory(_folder["checkpoints/.step-00000004.abc.tmp/deep"]);
        Write(5);
        Assert.Equal([_folder["checkpoints/step-00000005"]], Directory.GetFileSystemEntries(_folder["checkpoints"]));
    }

    [Fact]
    public void An_export_of_the_same_step_is_replaced()
    {
        Write(5, "old");
        var path = Write(5, "new");
        Assert.Equal("new", File.ReadAllText(Path.Combine(path, CheckpointFolder.ModelFile)));
        Assert.Single(Directory.GetFileSystemEntries(_folder["checkpoints"]));
    }

    [Fact]
    public void A_negative_step_is_refused() => Assert.Throws<ArgumentOutOfRangeException>(() => CheckpointFolder.PathOf(_folder.Path, -1));

    private string Write(long step, string content = "x") => CheckpointFolder.Write(_folder.Path, step, path =>
    {
        foreach (var name in new[] { CheckpointFolder.ModelFile, CheckpointFolder.ConfigFile, CheckpointFolder.TokenizerFile })
        {
            File.WriteAllText(Path.Combine(path, name), content);
        }
    });
}
