using ActorTrainer.Host.Configuration;
using ActorTrainer.Model.Common;
using Xunit;

namespace ActorTrainer.Tests.Configuration;

public sealed class HoconFileTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Keys_values_lines_and_comments_are_read()
    {
        var file = HoconFile.Parse("x.conf", "# what it is\na = 1e-3 # why\n\nb {\n  // above\n  // it\n  c = \"x \\\"y\\\" # z\"\n  d.e : [1, 2]\n}\n");
        Assert.Equal("what it is", file.Heading);
        Assert.Equal(
            [new("a", "1e-3", 2, "what it is"), new("b.c", "x \"y\" # z", 7, "above it"), new("b.d.e", "[1,2]", 8, "")],
            file.Entries);
    }

    [Theory]
    [InlineData("a {\n  b = 1\n", "x.conf(1): section 'a' is not closed: a '}' is missing.")]
    [InlineData("a = 1\n}\n", "x.conf(2): '}' closes a section that was never opened.")]
    [InlineData("a = 1\na = 2\n", "x.conf(2): 'a' is already set in line 1; keep one of them.")]
    [InlineData("a { b = 1 }\n", "x.conf(1): expected 'key = value',*")]
    [InlineData("a = \"open\n", "x.conf(1): expected 'key = value',*")]
    [InlineData("a\n", "x.conf(1): expected 'key = value',*")]
    [InlineData("a = two words\n", "x.conf(1): expected 'key = value',*")]
    [InlineData("a = ${b}\n", "x.conf(1): expected 'key = value',*")]
    [InlineData("a = [1,\n2]\n", "x.conf(1): expected 'key = value',*")]
    [InlineData("include \"other.conf\"\n", "x.conf(1): expected 'key = value',*")]
    public void A_broken_file_is_refused_with_file_and_line(string text, string message)
    {
        var refusal = Assert.Throws<RefusedException>(() => HoconFile.Parse("x.conf", text)).Message;
        Assert.StartsWith(message.TrimEnd('*'), refusal);
    }

    [Fact]
    public void A_file_of_comments_sets_nothing() => Assert.Empty(HoconFile.Parse("x.conf", "# nothing\n\n").Entries);

    [Fact]
    public void A_file_that_is_not_utf8_is_refused_with_its_name()
    {
        var path = Path.Combine(_folder.FullName, "bad.conf");
        File.WriteAllBytes(path, [0x61, 0x20, 0x3d, 0x20, 0xff, 0xfe]);
        Assert.Equal($"{path}: the configuration file is not UTF-8.", Assert.Throws<RefusedException>(() => HoconFile.Read(path)).Message);
    }

    [Fact]
    public void A_folder_of_the_users_adds_choices_and_hides_the_programs()
    {
        Write("arch/mine.conf", "# mine\nlayers = 7\n");
        Write("arch/tiny.conf", "# smaller still\nhidden = 32\n");
        var library = ConfigLibrary.Open(_folder.FullName);
        Assert.Equal(7, ConfigResolver.Resolve(library, new("pretrain", []), ["arch=mine"]).Run.Arch.Layers);
        Assert.Equal(32, ConfigResolver.Resolve(library, new("pretrain", []), ["arch=tiny", "arch.heads=4"]).Run.Arch.Hidden);
        Assert.Contains(library.Choices("arch"), choice => choice is { Name: "tiny", Heading: "smaller still" });
        Assert.Contains(library.Choices("arch"), choice => choice.Name == "crammed-bert");
    }

    [Fact]
    public void A_wrong_key_in_a_group_file_is_refused_with_file_and_line()
    {
        var path = Write("arch/mine.conf", "# mine\nlayers = 7\nlayrs = 8\nheads = 0\n");
        var refusal = Assert.Throws<RefusedException>(() => ConfigResolver.Resolve(ConfigLibrary.Open(_folder.FullName), new("pretrain", []), ["arch=mine"])).Message;
        Assert.Contains($"{path}(3): arch.layrs=8: there is no key arch.layrs; did you mean arch.layers?", refusal);
        Assert.Contains($"{path}(4): arch.heads=0: the value is out of range; allowed: whole number, 1 to 1024", refusal);
    }

    [Fact]
    public void A_folder_without_groups_is_refused()
    {
        var refusal = Assert.Throws<RefusedException>(() => ConfigLibrary.Open(_folder.FullName)).Message;
        Assert.StartsWith($"--config-dir {_folder.FullName}: expected a folder with a subfolder per group (arch, train,", refusal);
    }

    private string Write(string relative, string text)
    {
        var path = Path.Combine(_folder.FullName, relative);
        AtomicFile.WriteText(path, text);
        return path;
    }
}
