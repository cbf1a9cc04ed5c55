using ActorTrainer.Model.Data;
using Xunit;
using Xunit.Abstractions;

namespace ActorTrainer.Tests.Data;

public sealed class RealTextTests(ITestOutputHelper output) : IDisposable
{
    private readonly DataFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Real_articles_are_prepared_and_found_again()
    {
        if (SharedData.Find("text/wiki-en-2015.valid.txt") is not { } file)
        {
            output.WriteLine("skipped: no shared data on this machine");
            return;
        }

        var options = new DataOptions { Source = DataSourceKind.Text, Path = file, HeldOutFraction = 0.1, Cache = _folder.Cache };
        using (var data = DatasetBuilder.Prepare(options, new WordTokenizer(30_000)))
        {
            output.WriteLine($"{data.Manifest.Train} {data.Manifest.HeldOut}");
            Assert.InRange(data.Manifest.Train.Tokens + data.Manifest.HeldOut.Tokens, 150_000, 200_000);
            Assert.True(data.HeldOut.BlockCount > 20);
        }

        using var again = DatasetBuilder.Prepare(options, new WordTokenizer(30_000));
        Assert.True(again.Reused);
    }

    [Fact]
    public void The_held_out_articles_are_left_out_of_the_folder_they_lie_in()
    {
        if (SharedData.Find("text") is not { } folder)
        {
            output.WriteLine("skipped: no shared data on this machine");
            return;
        }

        var files = CorpusFiles.Resolve(new() { Source = DataSourceKind.Text, Path = folder, ValidPath = Path.Combine(folder, "wiki-en-2015.valid.txt") });
        var names = files.Train.Select(file => Path.GetFileName(file)!).ToList();
        Assert.Contains("wiki-en-2015.train-00.txt", names);
        Assert.DoesNotContain("wiki-en-2015.valid.txt", names);
        Assert.All(names, name => Assert.EndsWith(".txt", name));
    }
}
