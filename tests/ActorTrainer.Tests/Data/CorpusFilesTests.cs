using ActorTrainer.Model.Common;
using ActorTrainer.Model.Data;
using Xunit;

namespace ActorTrainer.Tests.Data;

public sealed class CorpusFilesTests : IDisposable
{
    private readonly DataFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_folder_gives_its_own_txt_files_in_ordinal_order()
    {
        foreach (var name in new[] { "b.txt", "B.txt", "a.txt", "notes.tsv", ".hidden.txt", "deep/c.txt" })
        {
            _folder.Write(name, "x");
        }

        Assert.Equal(["B.txt", "a.txt", "b.txt"], Names(Text(_folder.Path)));
    }

    [Fact]
    public void A_pattern_in_the_last_segment_picks_files_of_any_ending()
    {
        foreach (var name in new[] { "train-0.txt", "train-1.txt", "train-2.md", "valid.txt" })
        {
            _folder.Write(name, "x");
        }

        Assert.Equal(["train-0.txt", "train-1.txt"], Names(Text(_folder["train-*.txt"])));
        Assert.Equal(["train-0.txt", "train-1.txt", "train-2.md"], Names(Text(_folder["train-?.*"])));
    }

    [Fact]
    public void A_held_out_file_inside_the_folder_is_left_out_of_training_even_through_a_link()
    {
        _folder.Write("a.txt", "x");
        _folder.Write("v.txt", "y");
        Directory.CreateDirectory(_folder["elsewhere"]);
        File.CreateSymbolicLink(_folder["elsewhere/link.txt"], _folder["v.txt"]);
        foreach (var valid in new[] { _folder["v.txt"], _folder["./elsewhere/../v.txt"], _folder["elsewhere/link.txt"] })
        {
            var files = CorpusFiles.Resolve(Text(_folder.Path) with { ValidPath = valid });
            Assert.Equal([_folder["a.txt"]], files.Train);
            Assert.Single(files.HeldOut);
        }
    }

    [Fact]
    public void Holding_out_everything_is_refused()
    {
        _folder.Write("a.txt", "x");
        Refuses(Text(_folder.Path) with { ValidPath = _folder["a.txt"] }, "every file of it is held out");
    }

    [Fact]
    public void A_missing_path_is_refused_with_the_nearest_name()
    {
        _folder.Write("wiki.txt", "x");
        Refuses(Text(_folder["wikki.txt"]), $"data.path={_folder["wikki.txt"]}: no such file or folder; the nearest name there is wiki.txt");
        Refuses(Text(_folder["wikis-*.txt"]), "no file matches; the nearest name there is wiki.txt");
        Refuses(Text(_folder["nowhere/x.txt"]), $"there is no folder {_folder["nowhere"]}");
        Refuses(Text(_folder.Path) with { ValidPath = _folder["wikii.txt"] }, "data.valid_path=");
    }

    [Fact]
    public void A_folder_without_fitting_files_is_refused_and_says_where_they_are()
    {
        _folder.Write("j/a.jsonl", "{}");
        _folder.Write("outer/inner/a.txt", "x");
        Directory.CreateDirectory(_folder["empty"]);
        Refuses(Text(_folder["j"]), "holds no *.txt file, but *.jsonl files: set data.source=jsonl");
        Refuses(Text(_folder["outer"]), $"point it at {_folder["outer/inner"]}");
        Refuses(Text(_folder["empty"]), "holds no *.txt file");
        Refuses(Text(""), "data.path is empty");
    }

    [Fact]
    public void Sample_text_takes_no_held_out_file() =>
        Refuses(new() { ValidPath = "x.txt" }, "data.held_out_fraction");

    private static DataOptions Text(string path) => new() { Source = DataSourceKind.Text, Path = path };

    private static IEnumerable<string> Names(DataOptions options) => CorpusFiles.Resolve(options).Train.Select(file => Path.GetFileName(file)!);

    private static void Refuses(DataOptions options, string expected) =>
        Assert.Contains(expected, Assert.Throws<RefusedException>(() => CorpusFiles.Resolve(options)).Message);
}
