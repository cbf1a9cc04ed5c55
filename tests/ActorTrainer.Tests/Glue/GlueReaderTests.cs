using System.Text;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Glue;
using ActorTrainer.Tests.Bert;
using Parquet;
using Parquet.Schema;
using Xunit;

namespace ActorTrainer.Tests.Glue;

public class GlueReaderTests
{
    [Theory]
    [InlineData("cola", 8_551, 1_043, 1_063)]
    [InlineData("mrpc", 3_668, 408, 1_725)]
    [InlineData("rte", 2_490, 277, 3_000)]
    [InlineData("stsb", 5_749, 1_500, 1_379)]
    [InlineData("sst2", 67_349, 872, 1_821)]
    [InlineData("qnli", 10_475, 5_463, 5_463)]
    public void Real_files_have_their_rows_and_a_subset_is_said_aloud(string name, int train, int dev, int test)
    {
        if (SharedData.Find("glue") is not { } path)
        {
            return;
        }

        var task = GlueTasks.Parse(name);
        var notices = new List<string>();
        Assert.Equal(train, GlueReader.Read(path, task, "train", notices.Add).Examples.Count);
        Assert.Equal(dev, GlueReader.Read(path, task, "dev", notices.Add).Examples.Count);
        Assert.Equal(test, GlueReader.Read(path, task, "test", notices.Add).Examples.Count);
        Assert.Equal(name == "qnli" ? ["qnli train: 10,475 rows, the official split has 104,743: a subset"] : Array.Empty<string>(), notices);
    }

    [Theory]
    [InlineData("cola", 6_023, 721)]
    [InlineData("mrpc", 2_474, 279)]
    [InlineData("rte", 1_241, 131)]
    [InlineData("sst2", 37_569, 444)]
    public void Real_labels_have_their_published_counts_of_class_one(string name, int train, int dev)
    {
        if (SharedData.Find("glue") is not { } path)
        {
            return;
        }

        var task = GlueTasks.Parse(name);
        Assert.Equal(train, GlueReader.Read(path, task, "train", _ => { }).Examples.Count(e => e.Label == 1));
        Assert.Equal(dev, GlueReader.Read(path, task, "dev", _ => { }).Examples.Count(e => e.Label == 1));
    }

    [Fact]
    public void Scores_of_real_pairs_have_their_published_means()
    {
        if (SharedData.Find("glue") is { } path)
        {
            Assert.Equal(2.701, GlueReader.Read(path, GlueTasks.Of(GlueTask.Stsb), "train", _ => { }).Examples.Average(e => e.Label), 3);
            Assert.Equal(2.364, GlueReader.Read(path, GlueTasks.Of(GlueTask.Stsb), "dev", _ => { }).Examples.Average(e => e.Label), 3);
        }
    }

    [Fact]
    public void Quotation_marks_byte_order_marks_and_a_missing_line_end_are_taken_as_they_are()
    {
        using var folder = new TemporaryFolder();
        Write(folder.Path, "SST-2/dev.tsv", "\uFEFFsentence\tlabel\n\"a half quoted\t1\nplain \t0");

        var split = GlueReader.Read(folder.Path, GlueTasks.Of(GlueTask.Sst2), "dev", _ => { });

        Assert.Equal([new("0", "\"a half quoted", "", 1), new("1", "plain ", "", 0)], split.Examples);
    }

    [Theory]
    [InlineData("SST-2/dev.tsv", "sst2", "sentence\tlabel\nfine\t1\ntoo\tmany\t0\n", "line 3: 3 columns, expected 2")]
    [InlineData("SST-2/dev.tsv", "sst2", "sentence\tlabel\nfine\t2\n", "line 2: the label is '2', expected 0 or 1")]
    [InlineData("RTE/dev.tsv", "rte", "index\tsentence1\tsentence2\tlabel\n0\ta\tb\t1\n", "line 2: the label is '1', expected entailment or not_entailment")]
    [InlineData("STS-B/dev.tsv", "stsb", "h\n0\tg\tf\ty\to\ts\ts\ta\tb\t5.5\n", "line 2: the score is '5.5', expected a number from 0 to 5")]
    [InlineData("CoLA/dev.tsv", "cola", "", "columns, expected 4")]
    [InlineData("MRPC/dev.tsv", "mrpc", "heading\n", "there are no rows")]
    public void A_malformed_row_is_refused_with_file_line_and_rule(string file, string task, string content, string complaint)
    {
        using var folder = new TemporaryFolder();
        Write(folder.Path, file, content.Length == 0 ? "one\tcolumn\n" : content);

        var e = Assert.Throws<RefusedException>(() => GlueReader.Read(folder.Path, GlueTasks.Parse(task), "dev", _ => { }));

        Assert.Contains(complaint, e.Message, StringComparison.Ordinal);
        Assert.Contains(file, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_task_names_what_was_looked_for()
    {
        using var folder = new TemporaryFolder();
        var e = Assert.Throws<RefusedException>(() => GlueReader.Read(folder.Path, GlueTasks.Of(GlueTask.Mnli), "dev_matched", _ => { }));
        Assert.Contains("MNLI/dev_matched.tsv", e.Message, StringComparison.Ordinal);
        Assert.Contains("mnli/validation_matched-*.parquet", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Parquet_files_of_the_hub_are_read_in_order_and_test_labels_are_none()
    {
        using var folder = new TemporaryFolder();
        await Parquet(Path.Combine(folder.Path, "rte"), "validation-00000-of-00002", ["a", "b"], ["x", "y"], [0, 1]);
        await Parquet(Path.Combine(folder.Path, "rte"), "validation-00001-of-00002", ["c"], ["z"], [1]);
        await Parquet(Path.Combine(folder.Path, "rte"), "test-00000-of-00001", ["d"], ["w"], [-1]);
        var task = GlueTasks.Of(GlueTask.Rte);

        var dev = GlueReader.Read(folder.Path, task, "dev", _ => { });
        var test = GlueReader.Read(folder.Path, task, "test", _ => { });

        Assert.Equal(["a x 0", "b y 1", "c z 1"], dev.Examples.Select(e => $"{e.First} {e.Second} {e.Label}"));
        Assert.True(float.IsNaN(Assert.Single(test.Examples).Label));
    }

    [Fact]
    public void The_sample_set_has_all_tasks_in_the_official_layout_and_both_labels()
    {
        using var folder = new TemporaryFolder();
        var path = SampleGlue.Ensure(folder.Path);
        Assert.Equal(path, SampleGlue.Ensure(folder.Path));
        foreach (var task in GlueTasks.All)
        {
            foreach (var split in task.EvaluationSplits.Append(GlueTaskInfo.Train))
            {
                var labels = GlueReader.Read(path, task, split, _ => { }).Examples.Select(e => e.Label).ToList();
                Assert.All(Enumerable.Range(0, task.Outputs), label => Assert.True(task.IsRegression || labels.Count(l => l == label) > labels.Count / 8));
            }

            Assert.All(task.TestSplits, split => Assert.All(GlueReader.Read(path, task, split, _ => { }).Examples, e => Assert.True(float.IsNaN(e.Label))));
        }
    }

    [Theory]
    [InlineData("sst2", "test", "SST-2.tsv", "index\tprediction\n7\t1\n9\t0\n")]
    [InlineData("rte", "test", "RTE.tsv", "index\tprediction\n7\tnot_entailment\n9\tentailment\n")]
    [InlineData("mnli", "test_mismatched", "MNLI-mm.tsv", "index\tprediction\n7\tneutral\n9\tentailment\n")]
    [InlineData("stsb", "test", "STS-B.tsv", "index\tprediction\n7\t1.000\n9\t0.000\n")]
    public void Predictions_are_written_in_the_submission_layout(string task, string split, string file, string content)
    {
        using var folder = new TemporaryFolder();
        var path = SubmissionFile.Write(folder.Path, GlueTasks.Parse(task), split, ["7", "9"], [1, 0]);
        Assert.Equal(Path.Combine(folder.Path, file), path);
        Assert.Equal(content, File.ReadAllText(path));
    }

    private static void Write(string folder, string file, string content)
    {
        var path = Path.Combine(folder, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content, new UTF8Encoding(false));
    }

    private static async Task Parquet(string folder, string name, string[] first, string[] second, long[] labels)
    {
        Directory.CreateDirectory(folder);
        var (a, b, label, idx) = (new DataField<string>("sentence1"), new DataField<string>("sentence2"), new DataField<long>("label"), new DataField<int>("idx"));
        using var stream = File.Create(Path.Combine(folder, name + ".parquet"));
        await using var writer = await ParquetWriter.CreateAsync(new ParquetSchema(a, b, label, idx), stream);
        using var group = writer.CreateRowGroup();
        await group.WriteAsync(a, first);
        await group.WriteAsync(b, second);
        await group.WriteAsync<long>(label, labels.AsMemory());
        await group.WriteAsync<int>(idx, Enumerable.Range(0, labels.Length).ToArray().AsMemory());
    }
}
