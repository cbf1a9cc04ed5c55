using System.Text.Json;
using ActorTrainer.Host;
using ActorTrainer.Host.Cli;
using ActorTrainer.Host.Reports.Glue;
using ActorTrainer.Model.Common;
using SkiaSharp;
using Xunit;

namespace ActorTrainer.Tests.Glue.Reports;

public class GlueReportsTests
{
    [Theory]
    [InlineData("cola")]
    [InlineData("mnli")]
    [InlineData("stsb")]
    public void A_result_reads_back_as_it_was_written(string task)
    {
        var (folder, result) = (Made.Folder(), Made.Result(task, 14) with { Seed = ulong.MaxValue, LearningRate = 0.1 + 0.2 });
        result.Save(folder);
        var back = GlueResult.Load(Path.Combine(folder, GlueResult.FileName));
        Assert.Equal(Path.Combine(folder, GlueResult.FileName), back.Path);
        Assert.Equal(result, back with { Path = null, Scores = result.Scores });
        foreach (var (before, after) in result.Scores.Zip(back.Scores))
        {
            Assert.Equal(before.All, after.All);
            Assert.Equal(before.Confusion ?? [], after.Confusion ?? []);
            Assert.Equal(before, after with { All = before.All, Confusion = before.Confusion });
        }

        Assert.Contains("\"trainable_parameters\": 78882", File.ReadAllText(back.Path!));
        Assert.Equal([GlueResult.FileName], Directory.GetFiles(folder).Select(Path.GetFileName));
    }

    [Fact]
    public void A_diverged_loss_survives_the_file()
    {
        var (folder, result) = (Made.Folder(), Made.Result("rte", 14));
        (result with { Scores = [result.Scores[0] with { Loss = double.PositiveInfinity }] }).Save(folder);
        Assert.True(double.IsNaN(GlueReports.Find(folder).Results.Single().Scores[0].Loss));
    }

    [Fact]
    public void Half_written_and_foreign_files_are_left_out_with_a_notice_each()
    {
        var folder = Made.Folder();
        Made.Result("rte", 15).Save(Path.Combine(folder, "x", "glue", "rte-1"));
        Made.Result("cola", 15).Save(Path.Combine(folder, "y", "cola-1"));
        var whole = File.ReadAllText(Path.Combine(folder, "x", "glue", "rte-1", GlueResult.FileName));
        var foreign = new Dictionary<string, string>
        {
            ["half"] = whole[..(whole.Length / 2)],
            ["empty"] = "",
            ["null"] = "null",
            ["list"] = "[1, 2]",
            ["other"] = "{\"result\": 5}",
            ["task"] = whole.Replace("\"rte\"", "\"boolq\"", StringComparison.Ordinal),
            ["scores"] = whole[..whole.IndexOf("\"scores\"", StringComparison.Ordinal)] + "\"scores\": [null] }",
            ["name"] = whole.Replace("\"method\": \"full\"", "\"method\": null", StringComparison.Ordinal),
            ["matrix"] = whole.Replace("\"confusion\": [", "\"confusion\": [ null,", StringComparison.Ordinal),
            ["value"] = whole.Replace("\"value\": 0.75", "\"value\": null", StringComparison.Ordinal),
            ["large"] = new string(' ', (1 << 20) + 1),
        };
        foreach (var (name, text) in foreign)
        {
            Assert.NotEqual(whole, text);
            AtomicFile.WriteText(Path.Combine(folder, "foreign", name, GlueResult.FileName), text);
        }

        var (results, notices) = GlueReports.Find(folder);
        Assert.Equal(["rte", "cola"], results.Select(result => result.Task));
        Assert.Equal(foreign.Keys.Order(StringComparer.Ordinal), notices.Select(notice => Path.GetFileName(Path.GetDirectoryName(notice.Split(" is not ")[0]))!));
        Assert.All(notices, notice => Assert.EndsWith("Left out.", notice));
    }

    [Fact]
    public void A_copied_result_counts_once_and_links_are_not_followed()
    {
        var folder = Made.Folder();
        Made.Result("rte", 15).Save(Path.Combine(folder, "a"));
        Made.Result("rte", 18).Save(Path.Combine(folder, "b"));
        File.SetLastWriteTimeUtc(Path.Combine(folder, "a", GlueResult.FileName), new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        Directory.CreateSymbolicLink(Path.Combine(folder, "round"), folder);
        var (results, notices) = GlueReports.Find(folder, folder);
        Assert.Equal(0.9, Assert.Single(results).Scores[0].Value);
        Assert.Contains(Path.Combine(folder, "a"), Assert.Single(notices));
        Assert.Contains("not a folder", Assert.Throws<RefusedException>(() => GlueReports.Find(Path.Combine(folder, "none"))).Message);
    }

    [Fact]
    public void A_result_has_a_confusion_matrix_for_each_split_with_classes()
    {
        var folder = Made.Folder();
        GlueReports.SaveResult(folder, Made.Result("mnli", 15));
        Assert.Equal(
            ["confusion-dev_matched.png", "confusion-dev_mismatched.png", GlueResult.FileName],
            Directory.GetFiles(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        using var picture = SKBitmap.Decode(Path.Combine(folder, "confusion-dev_matched.png"));
        Assert.Equal((720, 600), (picture.Width, picture.Height));
        folder = Made.Folder();
        GlueReports.SaveResult(folder, Made.Result("stsb", 15));
        Assert.Equal([GlueResult.FileName], Directory.GetFiles(folder).Select(Path.GetFileName));
        Assert.Throws<ArgumentException>(() => GluePictures.SaveConfusion(Path.Combine(folder, "x.png"), Made.Result("stsb", 15).Scores[0], "none"));
    }

    [Fact]
    public void A_confusion_matrix_is_darker_on_the_diagonal_the_better_the_model()
    {
        int Dark(int right)
        {
            var path = Path.Combine(Made.Folder(), "c.png");
            GluePictures.SaveConfusion(path, Made.Result("rte", right).Scores[0], "RTE");
            using var picture = SKBitmap.Decode(path);
            return picture.Pixels.Count(c => c.Blue > c.Red + 90);
        }

        Assert.True(Dark(20) > 80_000, "a perfect model's diagonal is not filled");
        Assert.True(Dark(10) < Dark(20) / 2);
    }

    [Fact]
    public void A_table_is_written_as_markdown_json_and_a_picture_of_bars()
    {
        var folder = Made.Folder();
        var table = GlueTable.Of(
        [
            .. new[] { "cola", "mrpc", "rte", "stsb", "sst2", "qnli" }.Select((task, i) => Made.Result(task, 15 + (i % 4))),
            Made.Result("rte", 14, method: "LoRA r2", kernel: "gaussian-kernel"),
            Made.Result("cola", 3, method: "LoRA r2", kernel: "gaussian-kernel"),
        ]);
        GlueReports.SaveTable(folder, table, "First results");
        Assert.Equal(GlueMarkdown.Of(table), File.ReadAllText(Path.Combine(folder, GlueReports.MarkdownFile)));
        using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, GlueReports.JsonFile)));
        Assert.Equal(table.Rows[0].Tasks["rte"].Median, json.RootElement.GetProperty("rows")[0].GetProperty("tasks").GetProperty("rte").GetProperty("median").GetDouble());
        Assert.Equal(8, json.RootElement.GetProperty("results").GetArrayLength());
        using var picture = SKBitmap.Decode(Path.Combine(folder, GlueReports.PictureFile));
        Assert.Equal((1200, 675), (picture.Width, picture.Height));
        Assert.True(picture.Pixels.Count(c => c.Blue > c.Red + 60) > 10_000, "the first row's bars are missing");
        Assert.True(picture.Pixels.Count(c => c.Red > c.Blue + 60) > 2_000, "the second row's bars are missing");
    }

    [Fact]
    public async Task The_command_shows_runs_by_name_or_folder_and_writes_where_it_is_told()
    {
        var folder = Made.Folder();
        var (outputs, table) = (Path.Combine(folder, "outputs"), Path.Combine(folder, "table"));
        Made.Result("rte", 15, run: "a").Save(Path.Combine(outputs, "a", "rte-1"));
        Made.Result("cola", 15, run: "b", method: "LoRA r2").Save(Path.Combine(outputs, "b", "cola-1"));
        AtomicFile.WriteText(Path.Combine(outputs, "b", "cola-2", GlueResult.FileName), "{");

        var (code, text, error) = await Run("results", $"base_dir={outputs}", $"out={table}");
        Assert.Equal(0, code);
        Assert.Contains("full, softmax, from wiki  [a]", text);
        Assert.Contains("LoRA r2, softmax, from wiki  [b]", text);
        Assert.Contains("cola-2", error);
        Assert.True(File.Exists(Path.Combine(table, GlueReports.PictureFile)));

        (code, text, error) = await Run("results", "a", $"base_dir={outputs}");
        Assert.Equal((0, ""), (code, error));
        Assert.DoesNotContain("LoRA", text);
        Assert.Equal(text, (await Run("results", Path.Combine(outputs, "a"))).Out);
        Assert.Contains("LoRA", (await Run("results", "[a, b]", $"base_dir={outputs}")).Out);
    }

    [Theory]
    [InlineData("empty", "There are no fine-tuning results below")]
    [InlineData("nobody", "nobody is not a folder")]
    [InlineData("[]", "expected one or more runs")]
    public async Task The_command_refuses_what_has_no_results(string argument, string message)
    {
        var outputs = Made.Folder();
        Directory.CreateDirectory(Path.Combine(outputs, "empty"));
        var (code, _, error) = await Run("results", argument, $"base_dir={outputs}");
        Assert.Equal(App.Refused, code);
        Assert.Contains(message, error);
    }

    private static async Task<(int Code, string Out, string Error)> Run(params string[] words)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = await App.Run(words, Program.Commands, output, error);
        return (code, output.ToString(), error.ToString());
    }
}
