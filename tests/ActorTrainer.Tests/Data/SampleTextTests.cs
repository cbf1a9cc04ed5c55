using System.Diagnostics;
using ActorTrainer.Model.Data;
using Xunit;
using Xunit.Abstractions;

namespace ActorTrainer.Tests.Data;

public class SampleTextTests(ITestOutputHelper output)
{
    [Fact]
    public void A_document_depends_on_seed_and_index_alone()
    {
        Assert.Equal(SampleText.Document(3, 41), SampleText.Document(3, 41));
        Assert.NotEqual(SampleText.Document(3, 41), SampleText.Document(4, 41));
        Assert.NotEqual(SampleText.Document(3, 41), SampleText.Document(3, 42));
        Assert.Equal(SampleText.Document(3, 2), SampleText.Documents(3, 100_000).ElementAt(2).Text);
    }

    [Fact]
    public void The_text_for_a_seed_does_not_change_with_the_version()
    {
        // Cached data and published losses rest on it: a change here needs a new SampleText.Version.
        var all = string.Join('\n', Enumerable.Range(0, 20).Select(i => SampleText.Document(1, i)));
        Assert.Equal(1, SampleText.Version);
        Assert.Equal("787170521e3d4e802ea0d54981e9e9876049b7647572417db127f2fd813badf9", DocumentSource.Hash(all));
    }

    [Fact]
    public void It_is_plain_lines_of_sentences_with_several_paragraphs()
    {
        for (var i = 0; i < 200; i++)
        {
            var text = SampleText.Document(1, i);
            Assert.True(text.All(letter => letter is '\n' or >= ' ' and <= '~'), text);
            var paragraphs = text.Split('\n');
            Assert.InRange(paragraphs.Length, 3, 6);
            Assert.All(paragraphs, paragraph => Assert.Matches("^[A-Z].*[.]$", paragraph));
            Assert.DoesNotContain("  ", text);
        }

        output.WriteLine(SampleText.Document(1, 0));
    }

    [Fact]
    public void It_makes_as_many_bytes_as_asked_for()
    {
        var documents = SampleText.Documents(1, 500_000).ToList();
        var bytes = documents.Sum(document => document.Bytes);
        Assert.InRange(bytes, 500_000, 500_000 + documents[^1].Bytes);
        Assert.Equal(documents.Count, documents.Select(document => document.Text).Distinct().Count());
    }

    [Fact]
    public void Words_are_many_and_follow_a_steep_frequency_law()
    {
        var words = SampleText.Documents(1, 1_000_000).SelectMany(document => document.Text.ToLowerInvariant().Split(' ', '\n', '.', ',', '"'))
            .Where(word => word.Length > 0).GroupBy(word => word).OrderByDescending(group => group.Count()).ToList();
        output.WriteLine($"{words.Count} word types; most frequent: {string.Join(' ', words.Take(20).Select(group => group.Key))}");
        Assert.InRange(words.Count, 1_500, 20_000);
        Assert.Equal("the", words[0].Key);
        Assert.True(words[0].Count() > 50 * words[200].Count());
    }

    [Fact]
    public void The_neighbours_of_a_word_and_its_document_tell_much_about_it()
    {
        // Entropy of a word alone against its entropy after the word before it, over the same tokens.
        var words = SampleText.Documents(1, 2_000_000).SelectMany(document => document.Text.Split(' ', '\n')).ToArray();
        var alone = Entropy(words);
        var pairs = Entropy(words.Zip(words.Skip(1), (a, b) => $"{a} {b}"));
        output.WriteLine($"entropy {alone:F2} nats, after the previous word {pairs - alone:F2}");
        Assert.True(pairs - alone < alone - 1.5);

        // Surnames of a document come back in it far more often than in another one.
        var texts = Enumerable.Range(0, 300).Select(i => SampleText.Document(1, i)).ToList();
        var names = texts.Select(text => text.Split(' ').First(word => word.Length > 5 && char.IsUpper(word[0]))).ToList();
        var here = texts.Zip(names, (text, name) => text.Split(name).Length - 1.0).Average();
        var there = texts.Skip(1).Zip(names, (text, name) => text.Split(name).Length - 1.0).Average();
        Assert.True(here > 5 * there, $"{here} against {there}");
    }

    [Fact]
    public void It_is_made_faster_than_any_tokenizer_reads()
    {
        SampleText.Documents(2, 1_000_000).Count();
        var watch = Stopwatch.StartNew();
        var bytes = SampleText.Documents(1, 4_000_000).Sum(document => document.Bytes);
        var speed = bytes / 1e6 / watch.Elapsed.TotalSeconds;
        output.WriteLine($"{speed:F0} MB/s");

        // A loose floor for busy machines; the note of the figure is the output.
        Assert.True(speed > 4, $"{speed:F1} MB/s");
    }

    private static double Entropy(IEnumerable<string> items)
    {
        var counts = items.GroupBy(item => item).Select(group => (double)group.Count()).ToList();
        var total = counts.Sum();
        return -counts.Sum(count => count / total * Math.Log(count / total));
    }
}
