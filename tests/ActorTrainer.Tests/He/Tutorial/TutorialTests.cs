using System.Runtime.CompilerServices;
using System.Text;
using System.Text.RegularExpressions;
using Xunit;

namespace ActorTrainer.Tests.He.Tutorial;

public sealed partial class TutorialTests
{
    [Fact]
    public void Every_block_of_code_on_the_page_is_in_the_program_that_runs_here()
    {
        var program = Normal(File.ReadAllText(Beside("Program.cs")));

        Assert.All(Blocks("csharp"), block => Assert.Contains(Normal(block), program));
    }

    [Fact]
    public void The_program_prints_what_the_page_says()
    {
        var output = new StringWriter { NewLine = "\n" };

        Program.Run(output);

        Assert.Equal(string.Concat(Blocks("text")), output.ToString());
    }

    private static List<string> Blocks(string language)
    {
        var page = File.ReadAllText(Path.Combine(Root(), "docs", "he-tutorial.md")).ReplaceLineEndings("\n");
        var blocks = Fence().Matches(page).Where(m => m.Groups[1].Value == language).Select(m => m.Groups[2].Value).ToList();
        Assert.NotEmpty(blocks);
        return blocks;
    }

    /// <summary>Lines without indentation, so that a method's body may stand at the left of the page.</summary>
    private static string Normal(string code)
    {
        var text = new StringBuilder();
        foreach (var line in code.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0))
        {
            text.Append(line).Append('\n');
        }

        return text.ToString();
    }

    private static string Root() => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Here())!, "..", "..", "..", ".."));

    private static string Beside(string file) => Path.Combine(Path.GetDirectoryName(Here())!, file);

    private static string Here([CallerFilePath] string path = "") => path;

    [GeneratedRegex("^```([a-z]+)\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();
}
