using ActorTrainer.Model.Glue;

namespace ActorTrainer.Tests.Evaluation;

/// <summary>Rows of seeded ids and lengths.</summary>
internal sealed class SampleRows : IEncodedRows
{
    private readonly int[][] _rows;

    public SampleRows(string name, int count, int sequence, int vocabulary, GlueTask task = GlueTask.Sst2)
    {
        (Name, Sequence, Task) = (name, sequence, GlueTasks.Of(task));
        var random = new Random(count);
        _rows = [.. Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, random.Next(1, sequence + 1)).Select(_ => random.Next(1, vocabulary)).ToArray())];
    }

    public string Name { get; }

    public GlueTaskInfo Task { get; }

    public string Key => $"{Name}/{Count}";

    public int Count => _rows.Length;

    public int Sequence { get; }

    public int PadId => 0;

    public ReadOnlySpan<int> Ids(int row) => _rows[row];

    public int Length(int row) => _rows[row].Length;

    public float Label(int row) => row % 2;

    public string Id(int row) => $"{row}";
}
