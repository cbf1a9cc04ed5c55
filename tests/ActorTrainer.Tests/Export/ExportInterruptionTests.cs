using ActorTrainer.Model.Common;
using ActorTrainer.Model.Export;
using Xunit;

namespace ActorTrainer.Tests.Export;

public sealed class ExportInterruptionTests : IDisposable
{
    private static readonly DateTime LongAgo = new(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc);
    private readonly ExportFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public void An_export_that_stopped_half_way_keeps_its_shards_and_ends_with_equal_bytes()
    {
        using var whole = new ExportFixture();
        DataExport.Write(whole.Root, whole.Plan(ExportFixture.Rows()));

        StopAt(27);
        Assert.Equal([".lock", "ids.txt", "progress.json", "rows-00000.safetensors", "rows-00001.safetensors"], Names());
        Assert.Contains("finish it", Assert.Throws<RefusedException>(() => ExportReader.Open(_fixture.Folder())).Message);

        // What a killed process leaves besides: a temporary file, and a shard that has its name but is not recorded yet.
        File.WriteAllText(Path.Combine(_fixture.Folder(), ".rows-00002.safetensors.0123.tmp"), "half");
        File.WriteAllText(Path.Combine(_fixture.Folder(), "rows-00002.safetensors"), "not recorded");
        File.SetLastWriteTimeUtc(Path.Combine(_fixture.Folder(), "rows-00001.safetensors"), LongAgo);
        var progress = new List<ExportProgress>();
        var split = DataExport.Write(_fixture.Root, _fixture.Plan(ExportFixture.Rows()), progress.Add)[0];

        Assert.Equal((2, 2), (split.ShardsKept, split.ShardsWritten));
        Assert.Equal(LongAgo, File.GetLastWriteTimeUtc(Path.Combine(_fixture.Folder(), "rows-00001.safetensors")));
        Assert.Equal(ExportFixture.Content(whole.Folder()), ExportFixture.Content(_fixture.Folder()));
        Assert.Equal([10, 20, 23, 26, 29, 30, 33, 36, 37], progress.Select(p => p.Rows));
        Assert.Equal(2, progress.Count(p => p.IsVerifying));
    }

    [Fact]
    public void A_cancelled_export_leaves_no_half_file()
    {
        using var cancellation = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => DataExport.Write(
            _fixture.Root, _fixture.Plan(ExportFixture.Rows()), p => { if (p.Rows == 13) { cancellation.Cancel(); } }, cancellation.Token));

        Assert.Equal([".lock", "ids.txt", "progress.json", "rows-00000.safetensors"], Names());
    }

    [Fact]
    public void A_finished_export_is_verified_and_kept()
    {
        DataExport.Write(_fixture.Root, _fixture.Plan(ExportFixture.Rows()));
        foreach (var file in Directory.GetFiles(_fixture.Folder(), "*s*"))
        {
            File.SetLastWriteTimeUtc(file, LongAgo);
        }

        var progress = new List<ExportProgress>();
        var split = DataExport.Write(_fixture.Root, _fixture.Plan(ExportFixture.Rows()), progress.Add)[0];

        Assert.Equal((4, 0), (split.ShardsKept, split.ShardsWritten));
        Assert.All(progress, p => Assert.True(p.IsVerifying));
        Assert.Equal(37, progress[^1].Rows);
        Assert.All(Directory.GetFiles(_fixture.Folder(), "*s*"), file => Assert.Equal(LongAgo, File.GetLastWriteTimeUtc(file)));
    }

    [Theory]
    [InlineData("rows-00001.safetensors")]
    [InlineData("ids.txt")]
    public void A_damaged_file_is_refused_by_readers_and_restored_by_the_same_export(string name)
    {
        DataExport.Write(_fixture.Root, _fixture.Plan(ExportFixture.Rows()));
        var good = ExportFixture.Content(_fixture.Folder());
        var file = Path.Combine(_fixture.Folder(), name);
        var bytes = File.ReadAllBytes(file);
        bytes[^2] ^= 1;
        File.WriteAllBytes(file, bytes);

        var refused = Assert.Throws<RefusedException>(() => Read(15)).Message;
        Assert.Contains(file, refused);
        Assert.Contains("expected SHA-256", refused);

        var split = DataExport.Write(_fixture.Root, _fixture.Plan(ExportFixture.Rows()))[0];
        Assert.Equal(name == "ids.txt" ? 0 : 1, split.ShardsWritten);
        Assert.Equal(good, ExportFixture.Content(_fixture.Folder()));
    }

    [Fact]
    public void Only_rows_of_a_damaged_shard_are_refused_and_verification_finds_it()
    {
        DataExport.Write(_fixture.Root, _fixture.Plan(ExportFixture.Rows()));
        var file = Path.Combine(_fixture.Folder(), "rows-00002.safetensors");
        var bytes = File.ReadAllBytes(file);
        bytes[2000] ^= 1;
        File.WriteAllBytes(file, bytes);

        Assert.Equal(19, Read(19).Row);
        Assert.Contains(file, Assert.Throws<RefusedException>(() => Read(20)).Message);
        using var reader = ExportReader.Open(_fixture.Folder());
        Assert.Contains(file, Assert.Throws<RefusedException>(() => reader.Verify()).Message);
    }

    [Fact]
    public void A_missing_or_short_shard_is_refused_on_opening()
    {
        DataExport.Write(_fixture.Root, _fixture.Plan(ExportFixture.Rows()));
        var file = Path.Combine(_fixture.Folder(), "rows-00003.safetensors");
        var bytes = File.ReadAllBytes(file);

        File.WriteAllBytes(file, bytes[..^1]);
        Assert.Contains($"{file}: expected {bytes.Length} bytes, found {bytes.Length - 1}", Refusal());
        File.Delete(file);
        Assert.Contains($"{file}: expected {bytes.Length} bytes, found no file", Refusal());
        File.Delete(Path.Combine(_fixture.Folder(), "manifest.json"));
        Assert.Contains("no manifest.json", Refusal());

        string Refusal() => Assert.Throws<RefusedException>(() => ExportReader.Open(_fixture.Folder())).Message;
    }

    [Fact]
    public void A_second_writer_is_kept_out()
    {
        var refusals = new List<string>();
        DataExport.Write(_fixture.Root, _fixture.Plan(ExportFixture.Rows()), _ => refusals.Add(
            Assert.Throws<RefusedException>(() => DataExport.Write(_fixture.Root, _fixture.Plan(ExportFixture.Rows()))).Message));

        Assert.NotEmpty(refusals);
        Assert.All(refusals, refusal => Assert.Contains("cannot be held", refusal));
        Assert.Equal(0, DataExport.Write(_fixture.Root, _fixture.Plan(ExportFixture.Rows()))[0].ShardsWritten);
    }

    private void StopAt(int row) => Assert.Throws<InvalidOperationException>(() => DataExport.Write(
        _fixture.Root, _fixture.Plan(ExportFixture.Rows()), p => { if (p.Rows >= row) { throw new InvalidOperationException("stop"); } }));

    private ExportedRow Read(int row)
    {
        using var reader = ExportReader.Open(_fixture.Folder());
        return reader.Read(row, new float[12 * 16], new byte[12]);
    }

    private IEnumerable<string> Names() => Directory.GetFiles(_fixture.Folder()).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal);
}
