namespace ActorTrainer.Host.Encrypted.Planning;

/// <summary>Rows under a header, each column as wide as its longest cell; columns of numbers stand to the right.</summary>
/// <param name="header">Names of the columns.</param>
internal sealed class TextTable(params string[] header)
{
    private readonly List<string[]> _rows = [];

    /// <summary>A row, a cell for each column.</summary>
    /// <exception cref="ArgumentException">There are more or fewer cells.</exception>
    public void Add(params string[] cells) =>
        _rows.Add(cells.Length == header.Length ? cells : throw new ArgumentException($"Expected {header.Length} cells, found {cells.Length}.", nameof(cells)));

    /// <summary>Writes header and rows, indented by two.</summary>
    public void Write(TextWriter output)
    {
        var widths = header.Select((name, c) => _rows.Select(row => row[c].Length).Append(name.Length).Max()).ToArray();
        var right = header.Select((_, c) => _rows.All(row => row[c].Length == 0 || char.IsAsciiDigit(row[c][0]))).ToArray();
        foreach (var row in _rows.Prepend(header))
        {
            output.WriteLine($"  {string.Join("  ", row.Select((cell, c) => right[c] ? cell.PadLeft(widths[c]) : cell.PadRight(widths[c])))}".TrimEnd());
        }
    }
}
