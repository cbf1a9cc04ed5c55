using System.Text.Json;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Data;
using ActorTrainer.Model.Tokenization;
using Xunit;

namespace ActorTrainer.Tests.Data;

public sealed class PrepareTests : IDisposable
{
    private readonly DataFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Blocks_are_the_documents_in_order_each_with_a_separator()
    {
        var tokenizer = new WordTokenizer();
        _folder.Write("t/b.txt", "four five\n\nsix seven eight");
        _folder.Write("t/a.txt", "one two\nthree");
        _folder.Write("v.txt", "x y z w");
        using var data = Prepare(Text("t") with { ValidPath = _folder["v.txt"], Sequence = 4 }, tokenizer);

        int[] expected = [.. Ids(tokenizer, "one two three"), 5, .. Ids(tokenizer, "four five"), 5, .. Ids(tokenizer, "six seven eight"), 5];
        Assert.Equal(11, expected.Length);
        Assert.Equal(expected[..8], All(data.Train));
        Assert.Equal(Ids(tokenizer, "x y z w"), All(data.HeldOut));
        Assert.Equal((3L, 11L, 2L), (data.Manifest.Train.Documents, data.Manifest.Train.Tokens, data.Manifest.Train.Blocks));
        Assert.Equal((1L, 5L, 1L), (data.Manifest.HeldOut.Documents, data.Manifest.HeldOut.Tokens, data.Manifest.HeldOut.Blocks));
        Assert.Equal(["a.txt", "b.txt", "v.txt"], data.Manifest.Sources.Select(source => source.Name));
        Assert.Equal(tokenizer.Hash, data.Manifest.TokenizerHash);

        var counts = new long[tokenizer.VocabularySize];
        Array.ForEach(expected[..8], id => counts[id]++);
        Assert.Equal(counts, data.Train.UnigramCounts);
    }

    [Fact]
    public void Blocks_can_begin_with_the_classification_token_and_lose_no_token_of_the_text_by_it()
    {
        var tokenizer = new WordTokenizer();
        _folder.Write("t.txt", "one two three\n\nfour five");
        var options = Text("t.txt") with { HeldOutFraction = 0, Sequence = 4 };
        using var plain = Prepare(options, tokenizer);
        using var data = Prepare(options with { ClassifyFirst = true }, tokenizer);
        var first = tokenizer.Special.Classify;
        int[] stream = [.. Ids(tokenizer, "one two three"), 5, .. Ids(tokenizer, "four five"), 5];
        Assert.Equal([first, .. stream[..3], first, .. stream[3..6]], All(data.Train));
        Assert.Equal(7, data.Manifest.Train.Tokens);
        Assert.NotEqual(plain.Folder, data.Folder);
        Assert.Contains(
            "classify_first", Assert.Throws<RefusedException>(() => Prepare(options with { ClassifyFirst = true, Sequence = 1 }, tokenizer)).Message);
    }

    [Fact]
    public async Task Any_number_of_workers_and_any_size_of_shards_gives_the_same_blocks()
    {
        _folder.WriteSample("t.txt", 300);
        int[]? first = null;
        foreach (var (workers, shardBytes) in new[] { (1, 64L << 20), (5, 64L << 20), (3, 1000L), (0, 4096L) })
        {
            var options = Text("t.txt") with { Workers = workers, Sequence = 32, HeldOutFraction = 0.1, Cache = _folder[$"cache-{workers}"] };
            using var data = await DatasetBuilder.PrepareAsync(options, new WordTokenizer(), null, shardBytes, default);
            int[] blocks = [.. All(data.Train), .. All(data.HeldOut)];
            first ??= blocks;
            Assert.Equal(first, blocks);
            Assert.Equal(shardBytes > 1 << 20 ? 1 : data.Manifest.Train.Blocks / (shardBytes / 64) + 1, data.Manifest.Train.Shards.Count);
        }
    }

    [Fact]
    public void Vocabularies_up_to_65536_are_stored_in_two_bytes_and_larger_ones_in_four()
    {
        _folder.WriteSample("t.txt", 50);
        foreach (var (vocabulary, bytes) in new[] { (65_536, 2), (65_537, 4), (1_000_000, 4) })
        {
            var tokenizer = new WordTokenizer(vocabulary, $"words-{vocabulary}");
            using var data = Prepare(Text("t.txt") with { HeldOutFraction = 0, Sequence = 16 }, tokenizer);
            Assert.Equal(bytes, data.Manifest.TokenBytes);
            Assert.Equal(data.Train.BlockCount * 16 * bytes, data.Manifest.Train.Shards.Sum(shard => shard.Size));
            var expected = Enumerable.Range(0, 50).SelectMany(i => Ids(tokenizer, SampleText.Document(1, i)).Append(5)).ToArray();
            Assert.Equal(expected[..(int)(data.Train.BlockCount * 16)], All(data.Train));
        }
    }

    [Fact]
    public void A_second_run_reuses_the_result_without_tokenising()
    {
        _folder.WriteSample("t.txt", 60);
        var options = Text("t.txt") with { HeldOutFraction = 0.2, Sequence = 16 };
        using (var data = Prepare(options, new WordTokenizer()))
        {
            Assert.False(data.Reused);
        }

        var tokenizer = new WordTokenizer();
        using var again = Prepare(options with { Workers = 7 }, tokenizer);
        Assert.True(again.Reused);
        Assert.Equal(0, tokenizer.Encoded);
        Assert.Single(_folder.CacheFolders());
    }

    [Fact]
    public void The_same_files_elsewhere_are_the_same_data()
    {
        _folder.WriteSample("here/t.txt", 60);
        _folder.WriteSample("there/t.txt", 60);
        Prepare(Text("here") with { HeldOutFraction = 0, Sequence = 16 }, new WordTokenizer()).Dispose();
        using var data = Prepare(Text("there") with { HeldOutFraction = 0, Sequence = 16 }, new WordTokenizer());
        Assert.True(data.Reused);
    }

    [Fact]
    public void Whatever_the_content_depends_on_makes_new_data()
    {
        var file = _folder.WriteSample("t.txt", 60);
        var options = Text("t.txt") with { HeldOutFraction = 0.2, Sequence = 16 };
        var folders = new HashSet<string>();
        void IsNew(DataOptions changed, ITokenizer tokenizer)
        {
            using var data = Prepare(changed, tokenizer);
            Assert.False(data.Reused);
            Assert.True(folders.Add(data.Folder));
        }

        IsNew(options, new WordTokenizer());
        IsNew(options, new WordTokenizer(hash: "another"));
        IsNew(options with { Sequence = 8 }, new WordTokenizer());
        IsNew(options with { HeldOutFraction = 0.3 }, new WordTokenizer());
        IsNew(options with { Layout = DocumentLayout.Lines }, new WordTokenizer());
        IsNew(options with { Source = DataSourceKind.Sample, SampleMegabytes = 0.1 }, new WordTokenizer());
        IsNew(options with { Source = DataSourceKind.Sample, SampleMegabytes = 0.1, SampleSeed = 2 }, new WordTokenizer());

        // One changed letter, same size.
        var bytes = File.ReadAllBytes(file);
        bytes[10] = (byte)(bytes[10] == 'q' ? 'r' : 'q');
        File.WriteAllBytes(file, bytes);
        IsNew(options, new WordTokenizer());
    }

    [Fact]
    public void A_changed_file_is_noticed_though_the_hash_of_the_old_one_is_remembered()
    {
        var file = _folder.WriteSample("t.txt", 10);
        File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddHours(-1));
        var options = Text("t.txt");
        var before = DocumentSource.Fingerprint(options);
        Assert.Contains("t.txt", File.ReadAllText(Path.Combine(_folder.Cache, "source-hashes.json")));
        Assert.Equal(before, DocumentSource.Fingerprint(options));
        var bytes = File.ReadAllBytes(file);
        bytes[10] ^= 1;
        File.WriteAllBytes(file, bytes);
        Assert.NotEqual(before, DocumentSource.Fingerprint(options));

        // A damaged memory only costs reading the files again.
        File.WriteAllText(Path.Combine(_folder.Cache, "source-hashes.json"), "{ nonsense");
        Assert.NotEqual(before, DocumentSource.Fingerprint(options));
    }

    [Fact]
    public void Held_out_documents_are_about_the_share_asked_for_and_never_trained_on()
    {
        var options = new DataOptions { SampleMegabytes = 1.5, HeldOutFraction = 0.1, Cache = _folder.Cache };
        var all = SampleText.Documents(1, 1_500_000).Select(document => document.Text).ToList();
        var train = DocumentSource.TrainTexts(options).ToHashSet();
        var share = 1 - train.Count / (double)all.Count;
        Assert.InRange(share, 0.07, 0.13);

        // More text moves no document to the other side.
        var more = DocumentSource.TrainTexts(options with { SampleMegabytes = 2 }).ToHashSet();
        Assert.Subset(more, train);
        Assert.DoesNotContain(all, text => !train.Contains(text) && more.Contains(text));

        using var data = Prepare(options with { SampleMegabytes = 1.5, Sequence = 64 }, new WordTokenizer());
        Assert.Equal((train.Count, all.Count - train.Count), (data.Manifest.Train.Documents, data.Manifest.HeldOut.Documents));
    }

    [Fact]
    public void A_held_out_file_inside_the_folder_is_not_trained_on()
    {
        _folder.Write("t/a.txt", "one two three four");
        _folder.Write("t/valid.txt", "secret secret secret secret");
        var options = Text("t") with { ValidPath = _folder["t/valid.txt"], Sequence = 4 };
        Assert.Equal(["one two three four"], DocumentSource.TrainTexts(options));
        using var data = Prepare(options, new WordTokenizer());
        Assert.DoesNotContain(new WordTokenizer().Id("secret"), All(data.Train));
        Assert.All(All(data.HeldOut), id => Assert.Equal(new WordTokenizer().Id("secret"), id));
    }

    [Fact]
    public void Jsonl_is_prepared_like_text()
    {
        var documents = Enumerable.Range(0, 40).Select(i => SampleText.Document(1, i)).ToList();
        _folder.Write("j/a.jsonl", string.Concat(documents.Select(text => JsonSerializer.Serialize(new { body = text }) + "\n")));
        _folder.WriteSample("t.txt", 40);
        var options = new DataOptions { Source = DataSourceKind.Jsonl, Path = _folder["j"], JsonField = "body", Cache = _folder.Cache, HeldOutFraction = 0.2, Sequence = 16 };
        using var fromJson = Prepare(options, new WordTokenizer());
        using var fromText = Prepare(Text("t.txt") with { HeldOutFraction = 0.2, Sequence = 16 }, new WordTokenizer());
        Assert.Equal(All(fromText.Train), All(fromJson.Train));
        Assert.Equal(All(fromText.HeldOut), All(fromJson.HeldOut));
    }

    [Fact]
    public void Progress_rises_to_the_whole()
    {
        _folder.WriteSample("t.txt", 600);
        var reports = new List<PrepareProgress>();
        using var data = DatasetBuilder.Prepare(Text("t.txt") with { HeldOutFraction = 0.1, Sequence = 16 }, new WordTokenizer(), new Collect(reports.Add));
        Assert.True(reports.Count > 3);
        Assert.Equal(reports.OrderBy(report => report.Bytes), reports);
        Assert.Equal((new FileInfo(_folder["t.txt"]).Length, 600L), (reports[^1].Bytes, reports[^1].Documents));
        Assert.All(reports, report => Assert.Equal(new FileInfo(_folder["t.txt"]).Length, report.TotalBytes));
        Assert.Equal(data.Manifest.Train.Tokens + data.Manifest.HeldOut.Tokens, reports[^1].Tokens);
    }

    [Theory]
    [InlineData("", "no text to train on")]
    [InlineData("\n \n\n", "no text to train on")]
    [InlineData("just a few words", "fewer than one block of 128")]
    public void A_corpus_without_enough_text_is_refused(string text, string expected)
    {
        _folder.Write("t.txt", text);
        var refusal = Assert.Throws<RefusedException>(() => Prepare(Text("t.txt") with { HeldOutFraction = 0 }, new WordTokenizer()));
        Assert.Contains(_folder["t.txt"], refusal.Message);
        Assert.Contains(expected, refusal.Message);
        Assert.Empty(_folder.CacheFolders());
    }

    [Fact]
    public void A_held_out_part_of_less_than_a_block_is_refused_with_the_ways_out()
    {
        _folder.WriteSample("t.txt", 3);
        _folder.Write("v.txt", "too short");
        var byShare = Assert.Throws<RefusedException>(() => Prepare(Text("t.txt") with { HeldOutFraction = 1e-9 }, new WordTokenizer()));
        Assert.Contains("holds out 0 of 3 documents", byShare.Message);
        Assert.Contains("data.valid_path", byShare.Message);
        var byFile = Assert.Throws<RefusedException>(() => Prepare(Text("t.txt") with { ValidPath = _folder["v.txt"] }, new WordTokenizer()));
        Assert.Contains($"data.valid_path={_folder["v.txt"]}: 3 tokens", byFile.Message);
    }

    [Theory]
    [InlineData(1.0)]
    [InlineData(-0.1)]
    [InlineData(double.NaN)]
    public void A_held_out_share_outside_its_range_is_refused(double fraction) =>
        Assert.Throws<RefusedException>(() => Prepare(new() { HeldOutFraction = fraction, Cache = _folder.Cache }, new WordTokenizer()));

    private DataOptions Text(string name) => new() { Source = DataSourceKind.Text, Path = _folder[name], Cache = _folder.Cache };

    private static PreparedData Prepare(DataOptions options, ITokenizer? tokenizer) => DatasetBuilder.Prepare(options, tokenizer);

    private static int[] Ids(WordTokenizer tokenizer, string text)
    {
        var ids = new List<int>();
        tokenizer.Encode(text, ids);
        return [.. ids];
    }

    internal static int[] All(TokenDataset data)
    {
        var ids = new int[data.BlockCount * data.BlockLength];
        for (var block = 0; block < data.BlockCount; block++)
        {
            data.Read(block, ids.AsSpan(block * data.BlockLength, data.BlockLength));
        }

        return ids;
    }

    private sealed class Collect(Action<PrepareProgress> report) : IProgress<PrepareProgress>
    {
        public void Report(PrepareProgress value) => report(value);
    }
}
