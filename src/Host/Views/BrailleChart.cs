namespace ActorTrainer.Host.Views;

/// <summary>A line chart in braille characters, 2 × 4 dots each.</summary>
internal static class BrailleChart
{
    private const char Empty = '\u2800';

    /// <summary>Bit of the dot in column 0 or 1 and row 0 (top) … 3 of a character (Unicode block 2800).</summary>
    private static readonly int[,] Dots = { { 0x01, 0x02, 0x04, 0x40 }, { 0x08, 0x10, 0x20, 0x80 } };

    /// <summary>
    /// Rows of <paramref name="width"/> characters, top first. The values are averaged or stretched to the width; their
    /// minimum is on the bottom row, their maximum on the top row; neighbouring points are joined.
    /// </summary>
    public static IReadOnlyList<string> Render(IReadOnlyList<double> values, int width, int height)
    {
        var cells = new int[height, width];
        var columns = Columns(values, 2 * width);
        if (columns.Count > 0)
        {
            var (low, high) = (columns.Min(), columns.Max());
            var previous = -1;
            for (var x = 0; x < columns.Count; x++)
            {
                var y = high > low ? (int)Math.Round((high - columns[x]) / (high - low) * (4 * height - 1)) : 2 * height;
                var from = previous < 0 ? y : previous < y ? previous + 1 : previous > y ? previous - 1 : y;
                for (var dot = Math.Min(from, y); dot <= Math.Max(from, y); dot++)
                {
                    cells[dot / 4, x / 2] |= Dots[x % 2, dot % 4];
                }

                previous = y;
            }
        }

        return
        [
            .. Enumerable.Range(0, height).Select(row =>
                new string([.. Enumerable.Range(0, width).Select(column => (char)(Empty + cells[row, column]))])),
        ];
    }

    private static List<double> Columns(IReadOnlyList<double> values, int columns)
    {
        if (values.Count <= columns)
        {
            // Few points: hold each one over its share of the width.
            return values.Count == 0 ? [] : [.. Enumerable.Range(0, columns).Select(x => values[x * values.Count / columns])];
        }

        return
        [
            .. Enumerable.Range(0, columns).Select(x =>
            {
                var (from, to) = (x * values.Count / columns, (x + 1) * values.Count / columns);
                return Enumerable.Range(from, to - from).Average(i => values[i]);
            }),
        ];
    }
}
