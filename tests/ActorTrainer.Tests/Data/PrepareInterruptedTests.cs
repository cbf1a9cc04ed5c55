using ActorTrainer.Model.Common;
using ActorTrainer.Model.Data;
using Xunit;

namespace ActorTrainer.Tests.Data;

public sealed class PrepareInterruptedTests : IDisposable
{
    private readonly DataFolder _folder = new();
    private readonly DataOptions _options;

    public PrepareInterruptedTests()
    {
        _folder.WriteSample("t.txt", 400);
        _options = new() { Source = DataSourceKind.Text, Path = _folder["t.txt"], Cache = _folder.Cache, HeldOutFraction = 0.1, Sequence = 32, Workers = 2 };
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_cancelled_run_leaves_nothing_and_the_next_one_succeeds()
    {
        using var stop = new CancellationTokenSource();
        var seen = 0;
        Assert.ThrowsAny<OperationCanceledException>(() => DatasetBuilder.Prepare(
            _options,
            new WordTokenizer(onEncode: () =>
            {
                if (Interlocked.Increment(ref seen) == 150)
                {
                    stop.Cancel();
                }
            }),
            null,
            stop.Token));
        Assert.InRange(seen, 150, 399);
        Assert.Empty(_folder.CacheFolders());
        Assert.Empty(Directory.EnumerateFiles(_folder.Cache, "*.lock"));

        using var data = DatasetBuilder.Prepare(_options, new WordTokenizer());
        Assert.False(data.Reused);
        Assert.Equal(400, data.Manifest.Train.Documents + data.Manifest.HeldOut.Documents);
    }

    [Fact]
    public void A_refusal_in_the_middle_leaves_nothing()
    {
        File.AppendAllBytes(_folder["t.txt"], [0xFF]);
        var refusal = Assert.Throws<RefusedException>(() => DatasetBuilder.Prepare(_options, new WordTokenizer()));
        Assert.Contains($"{_folder["t.txt"]}, line ", refusal.Message);
        Assert.Empty(_folder.CacheFolders());
    }

    [Fact]
    public void A_tokenizer_that_fails_is_reported_as_it_is()
    {
        Assert.Throws<FormatException>(() => DatasetBuilder.Prepare(_options, new WordTokenizer(onEncode: () => throw new FormatException())));
        Assert.Empty(_folder.CacheFolders());
    }

    [Fact]
    public void Folders_of_processes_that_ended_are_removed_and_those_in_use_are_left()
    {
        Directory.CreateDirectory(_folder.Cache);

        // As a killed process leaves it: shards, no manifest, an unlocked lock file.
        var key = new string('0', 32);
        _folder.Write($"cache/{key}.partial-dead/train-00000.bin", new byte[10]);
        _folder.Write($"cache/{key}.partial-dead.lock", "");
        using (var alive = PartialFolder.Create(_folder.Cache, key))
        {
            DatasetBuilder.Prepare(_options, new WordTokenizer()).Dispose();
            Assert.True(Directory.Exists(alive.Path));
            Assert.False(Directory.Exists(_folder[$"cache/{key}.partial-dead"]));
            Assert.False(File.Exists(_folder[$"cache/{key}.partial-dead.lock"]));
            Assert.Throws<RefusedException>(() => TokenDataset.Open(alive.Path, DataSplit.Train));
        }

        Assert.Single(_folder.CacheFolders());
    }

    [Fact]
    public async Task Preparations_at_the_same_time_do_not_disturb_each_other()
    {
        var runs = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => DatasetBuilder.Prepare(_options, new WordTokenizer()))));
        var blocks = PrepareTests.All(runs[0].Train);
        Assert.All(runs, run => Assert.Equal(blocks, PrepareTests.All(run.Train)));
        Assert.Equal(Path.GetFileName(runs[0].Folder), Assert.Single(_folder.CacheFolders()));
        TokenDataset.Open(runs[0].Folder, DataSplit.Train, verifyHashes: true).Dispose();
        Array.ForEach(runs, run => run.Dispose());
    }

    [Fact]
    public void Prepared_data_that_somebody_damaged_is_made_again()
    {
        foreach (var damage in new Action<string>[]
        {
            folder => File.Delete(Path.Combine(folder, DatasetManifest.FileName)),
            folder => File.Delete(Path.Combine(folder, "train-00000.bin")),
            folder => File.AppendAllText(Path.Combine(folder, "heldout-00000.bin"), "x"),
            folder => File.WriteAllText(Path.Combine(folder, DatasetManifest.FileName), "{}"),
        })
        {
            string folder;
            using (var data = DatasetBuilder.Prepare(_options, new WordTokenizer()))
            {
                folder = data.Folder;
            }

            damage(folder);
            Assert.Throws<RefusedException>(() =>
            {
                TokenDataset.Open(folder, DataSplit.Train).Dispose();
                TokenDataset.Open(folder, DataSplit.HeldOut).Dispose();
            });
            using var again = DatasetBuilder.Prepare(_options, new WordTokenizer());
            Assert.False(again.Reused);
            Assert.Single(_folder.CacheFolders());
        }
    }

    [Fact]
    public void A_file_that_changes_while_it_is_read_is_refused()
    {
        var done = 0;
        var refusal = Assert.Throws<RefusedException>(() => DatasetBuilder.Prepare(_options, new WordTokenizer(onEncode: () =>
        {
            if (Interlocked.Increment(ref done) == 400)
            {
                File.SetLastWriteTimeUtc(_folder["t.txt"], DateTime.UtcNow.AddMinutes(1));
            }
        })));
        Assert.Contains("changed while it was being prepared", refusal.Message);
        Assert.Empty(_folder.CacheFolders());
    }
}
