using System.Text;

namespace ActorTrainer.Model.Data;

/// <summary>Documents of plain text files.</summary>
internal static class TextDocuments
{
    /// <summary>
    /// A document that grows beyond this many characters ends at the next line end, and the rest is a document of its own:
    /// a file with no blank line at all must not end up in memory whole.
    /// </summary>
    public const int LongestDocument = 1 << 20;

    /// <summary>Reads the documents of a file one by one.</summary>
    /// <exception cref="Common.RefusedException">Invalid UTF-8; names file and line.</exception>
    public static IEnumerable<Document> Read(string file, DocumentLayout layout, int longestDocument = LongestDocument) =>
        layout == DocumentLayout.Lines ? ByLine(file) : ByBlankLine(file, longestDocument);

    private static IEnumerable<Document> ByLine(string file) =>
        from line in Utf8Lines.Read(file)
        where !string.IsNullOrWhiteSpace(line.Text)
        select new Document(line.Text, file, line.Number, line.Bytes);

    private static IEnumerable<Document> ByBlankLine(string file, int longestDocument)
    {
        var text = new StringBuilder();
        var (first, bytes) = (0L, 0L);
        foreach (var line in Utf8Lines.Read(file))
        {
            bytes += line.Bytes;
            var isBlank = string.IsNullOrWhiteSpace(line.Text);
            if (!isBlank)
            {
                first = text.Length == 0 ? line.Number : first;
                text.Append(text.Length == 0 ? "" : "\n").Append(line.Text);
            }

            if (text.Length > 0 && (isBlank || text.Length > longestDocument))
            {
                yield return new(text.ToString(), file, first, bytes);
                text.Clear();
                bytes = 0;
            }
        }

        if (text.Length > 0)
        {
            yield return new(text.ToString(), file, first, bytes);
        }
    }
}
