using ActorTrainer.Model.Common;
using ActorTrainer.Model.Data;
using Xunit;

namespace ActorTrainer.Tests.Data;

public sealed class SourceTests : IDisposable
{
    private readonly DataFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Blank_lines_separate_documents_whatever_the_line_ends_and_a_byte_order_mark_is_skipped()
    {
        var file = _folder.Write("a.txt", "\uFEFFone\r\ntwo é\r\n\r\n \t\r\n\r\nthree\nfour");
        var documents = TextDocuments.Read(file, DocumentLayout.BlankLines).ToList();
        Assert.Equal(["one\ntwo é", "three\nfour"], documents.Select(document => document.Text));
        Assert.Equal([1L, 6L], documents.Select(document => document.Line));
        Assert.Equal(new FileInfo(file).Length, documents.Sum(document => document.Bytes));
    }

    [Fact]
    public void In_layout_lines_each_line_that_is_not_blank_is_a_document()
    {
        var file = _folder.Write("a.txt", "one\r\n\r\ntwo\n   \nthree");
        var documents = TextDocuments.Read(file, DocumentLayout.Lines).ToList();
        Assert.Equal([("one", 1L), ("two", 3L), ("three", 5L)], documents.Select(document => (document.Text, document.Line)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(70_000)]
    [InlineData(1_000_000)]
    public void Lines_of_any_length_come_back_whole(int length)
    {
        var lines = Enumerable.Range(0, 5).Select(i => new string((char)('a' + i), length + i)).ToArray();
        var file = _folder.Write("a.txt", string.Join('\n', lines));
        Assert.Equal(lines, Utf8Lines.Read(file).Select(line => line.Text));
    }

    [Fact]
    public void Invalid_utf8_is_refused_with_file_and_line()
    {
        var file = _folder.Write("bad.txt", [.. "fine\nalso fine\nno"u8, 0xE9, .. "t\n"u8]);
        var refusal = Assert.Throws<RefusedException>(() => TextDocuments.Read(file, DocumentLayout.Lines).Count());
        Assert.Contains($"{file}, line 3: byte 0xE9 at position 3", refusal.Message);
    }

    [Fact]
    public void A_character_cut_off_at_the_end_of_the_file_is_refused()
    {
        var file = _folder.Write("bad.txt", [.. "fine\ncut "u8, 0xC3]);
        Assert.Contains($"{file}, line 2", Assert.Throws<RefusedException>(() => Utf8Lines.Read(file).Count()).Message);
    }

    [Fact]
    public void A_line_beyond_the_limit_is_refused_with_file_and_line_before_it_is_read_whole()
    {
        var file = _folder.Write("long.txt", "short\n" + new string('x', 500_000));
        var refusal = Assert.Throws<RefusedException>(() => Utf8Lines.Read(file, longestLine: 100_000).Count());
        Assert.Contains($"{file}, line 2", refusal.Message);
    }

    [Fact]
    public void A_document_without_end_is_cut_at_a_line_end_so_that_memory_stays_bounded()
    {
        var file = _folder.Write("a.txt", string.Concat(Enumerable.Range(0, 1000).Select(i => $"line {i} of one document\n")));
        var documents = TextDocuments.Read(file, DocumentLayout.BlankLines, longestDocument: 1000).ToList();
        Assert.True(documents.Count > 20);
        Assert.All(documents, document => Assert.InRange(document.Text.Length, 1, 1100));
        Assert.Equal(File.ReadAllText(file).TrimEnd('\n'), string.Join('\n', documents.Select(document => document.Text)));
    }

    [Fact]
    public void Files_are_read_as_the_documents_are_asked_for()
    {
        // The second file is bad, which shows only when the reader gets there.
        _folder.Write("t/a.txt", "one\n\ntwo\n");
        _folder.Write("t/b.txt", [0xFF]);
        var texts = DocumentSource.TrainTexts(new() { Source = DataSourceKind.Text, Path = _folder["t"], HeldOutFraction = 0 });
        Assert.Equal(["one", "two"], texts.Take(2));
        Assert.Throws<RefusedException>(() => texts.Count());
    }

    [Fact]
    public void A_stream_of_documents_much_larger_than_the_batch_stays_small_in_memory()
    {
        var line = new string('x', 999) + "\n";
        using (var writer = new StreamWriter(_folder["big.txt"]))
        {
            for (var i = 0; i < 40_000; i++)
            {
                writer.Write(line);
            }
        }

        // 40 MB of file, 80 MB as strings: held at once they would show.
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var most = 0L;
        var count = 0;
        foreach (var _ in TextDocuments.Read(_folder["big.txt"], DocumentLayout.Lines))
        {
            if (++count % 10_000 == 0)
            {
                most = Math.Max(most, GC.GetTotalMemory(forceFullCollection: true) - before);
            }
        }

        Assert.Equal(40_000, count);
        Assert.True(most < 20_000_000, $"{most:N0} bytes");
    }

    [Fact]
    public void Jsonl_gives_the_text_field_of_each_line()
    {
        var file = _folder.Write("a.jsonl", "{\"id\":1,\"text\":\"one\\ntwo é\"}\r\n\n{\"text\":\"\"}\n{\"text\":\"three\"}");
        Assert.Equal([("one\ntwo é", 1L), ("three", 4L)], JsonlDocuments.Read(file, "text").Select(d => (d.Text, d.Line)));
    }

    [Theory]
    [InlineData("{\"text\": \"x\"", "not valid JSON")]
    [InlineData("{\"text\": \"\\ud800\"}", "not valid JSON")]
    [InlineData("[1]", "expected a JSON object, found an array")]
    [InlineData("{\"txt\":\"x\"}", "no field \"text\" (data.json_field); found txt; nearest: txt")]
    [InlineData("{\"text\":7}", "must be a string, found a number")]
    [InlineData("{\"text\":null}", "must be a string, found null")]
    public void Malformed_jsonl_is_refused_with_file_and_line(string line, string expected)
    {
        var file = _folder.Write("a.jsonl", "{\"text\":\"fine\"}\n" + line + "\n");
        var refusal = Assert.Throws<RefusedException>(() => JsonlDocuments.Read(file, "text").Count());
        Assert.StartsWith($"{file}, line 2: ", refusal.Message);
        Assert.Contains(expected, refusal.Message);
    }
}
