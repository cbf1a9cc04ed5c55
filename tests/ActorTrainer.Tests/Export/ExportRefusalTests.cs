using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Export;
using ActorTrainer.Model.Glue;
using Xunit;

namespace ActorTrainer.Tests.Export;

public sealed class ExportRefusalTests : IDisposable
{
    private readonly ExportFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_export_of_something_else_is_refused_and_left_alone(bool finished)
    {
        var rows = ExportFixture.Rows();
        if (finished)
        {
            DataExport.Write(_fixture.Root, _fixture.Plan(rows));
        }
        else
        {
            Assert.Throws<InvalidOperationException>(() => DataExport.Write(
                _fixture.Root, _fixture.Plan(rows), p => { if (p.Rows > 20) { throw new InvalidOperationException(); } }));
        }

        var before = ExportFixture.Content(_fixture.Folder());
        using var other = new EmbeddingUnit(_fixture.Arch, 8);

        Refused(_fixture.Plan(rows) with { Embedding = other }, "embedding_sha256 was");
        Refused(_fixture.Plan(rows) with { Model = "large" }, "model was \"small\", now \"large\"");
        Refused(_fixture.Plan(rows) with { TokenizerHash = "x" }, "tokenizer_hash was \"tokens\", now \"x\"");
        Refused(_fixture.Plan(rows) with { ShardBytes = 16000 }, "rows_per_shard was 10");
        Refused(_fixture.Plan(new SyntheticRows(GlueTask.Mrpc, "train", 36, 12, 50)), "rows was 37, now 36");
        Refused(_fixture.Plan(new SyntheticRows(GlueTask.Mrpc, "train", 37, 12, 50) { Key = "k" }), "data_key was \"key\", now \"k\"");
        Refused(_fixture.Plan(new SyntheticRows(GlueTask.Mrpc, "train", 37, 12, 50) { PadId = 4 }), "padding was");
        Refused(_fixture.Plan(new SyntheticRows(GlueTask.Mrpc, "train", 37, 12, 50) { Prefix = "x" }), "ids was");
        Assert.Equal(before, ExportFixture.Content(_fixture.Folder()));

        void Refused(ExportPlan plan, string difference)
        {
            var message = Assert.Throws<RefusedException>(() => DataExport.Write(_fixture.Root, plan)).Message;
            Assert.Contains(difference, message);
            Assert.Contains("Delete that folder", message);
        }
    }

    [Fact]
    public void A_refused_split_keeps_the_others_from_being_written()
    {
        DataExport.Write(_fixture.Root, _fixture.Plan(ExportFixture.Rows(name: "dev")));

        Refuses(_fixture.Plan(ExportFixture.Rows(), ExportFixture.Rows(name: "dev", count: 5)), "rows was 37, now 5");

        Assert.Empty(Directory.GetFiles(_fixture.Folder(), "rows-*"));
    }

    [Fact]
    public void Bad_rows_are_named_before_anything_is_written()
    {
        Refuses(_fixture.Plan(new SyntheticRows(GlueTask.Mrpc, "train", 37, 12, 50) { BadToken = 36 }), "row 36 (id train-ä 36): token id 50");
        Refuses(_fixture.Plan(new SyntheticRows(GlueTask.Mrpc, "train", 37, 12, 50) { BadLabel = 35 }), "label 17, expected a class from 0 to 1");
        Refuses(_fixture.Plan(new SyntheticRows(GlueTask.Mrpc, "train", 37, 12, 50) { Prefix = "a\nb" }), "line break");
        Refuses(_fixture.Plan(new SyntheticRows(GlueTask.Mrpc, "train", 37, 12, 50) { PadId = 50 }), "padded with id 50");
        Refuses(_fixture.Plan(new SyntheticRows(GlueTask.Mrpc, "train", 37, 13, 50)), "13 tokens");
        Refuses(_fixture.Plan(new SyntheticRows(GlueTask.Mrpc, "train", 0, 12, 50)), "no rows");
        Refuses(_fixture.Plan(), "found none");
        Refuses(_fixture.Plan(ExportFixture.Rows(), ExportFixture.Rows()), "mrpc train, mrpc train");
        Refuses(_fixture.Plan(ExportFixture.Rows(name: "../train")), "'../train'");
        Assert.Empty(Directory.GetFileSystemEntries(_fixture.Root));
    }

    [Fact]
    public void An_export_that_the_disk_cannot_hold_is_refused_at_once()
    {
        using var fixture = new ExportFixture(hidden: 1024, sequence: 2048);
        var rows = new SyntheticRows(GlueTask.Mrpc, "train", 1_000_000, 2048, 50) { MostTokens = 1 }; // 8 TB

        Refuses(fixture.Plan(rows), "GB more");
    }

    [Fact]
    public void A_damaged_manifest_is_refused()
    {
        DataExport.Write(_fixture.Root, _fixture.Plan(ExportFixture.Rows()));
        var file = Path.Combine(_fixture.Folder(), "manifest.json");
        var text = File.ReadAllText(file);

        foreach (var bad in new[] { text[..50], text.Replace("\"format\": 1", "\"format\": 2"), text.Replace("rows-00001", "../x-00001"), text.Replace("\"rows\": 37", "\"rows\": 47") })
        {
            Assert.NotEqual(text, bad);
            File.WriteAllText(file, bad);
            Assert.Contains(file, Assert.Throws<RefusedException>(() => ExportReader.Open(_fixture.Folder())).Message);
        }
    }

    private void Refuses(ExportPlan plan, string expected) =>
        Assert.Contains(expected, Assert.Throws<RefusedException>(() => DataExport.Write(_fixture.Root, plan)).Message);
}
