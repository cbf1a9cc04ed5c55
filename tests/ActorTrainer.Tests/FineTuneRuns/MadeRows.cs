using ActorTrainer.Model.Common;
using ActorTrainer.Model.Glue;

namespace ActorTrainer.Tests.FineTuneRuns;

/// <summary>Seeded rows of different lengths whose label can be learned: whether a certain token occurs, or how often, for scores.</summary>
internal sealed class MadeRows : IEncodedRows
{
    private readonly List<(int[] Ids, float Label)> _rows = [];

    public MadeRows(int count, int sequence, int vocabulary, ulong seed, GlueTask task = GlueTask.Sst2)
    {
        (Task, Sequence) = (GlueTasks.Of(task), sequence);
        var random = CounterRandom.Of(seed, RandomPurpose.SampleText);
        for (var i = 0; i < count; i++)
        {
            var ids = Enumerable.Range(0, 4 + random.NextInt(sequence - 4)).Select(_ => 7 + random.NextInt(vocabulary - 7)).ToArray();
            var hits = ids.Count(id => id % 7 == 0);
            _rows.Add((ids, Task.IsRegression ? Math.Min(5, hits) : hits > 1 ? 1 : 0));
        }
    }

    public GlueTaskInfo Task { get; }

    public string Name => "train";

    public int Count => _rows.Count;

    public int Sequence { get; }

    public int PadId => 0;

    public string Key => $"made-{Count}";

    public ReadOnlySpan<int> Ids(int row) => _rows[row].Ids;

    public int Length(int row) => _rows[row].Ids.Length;

    public float Label(int row) => _rows[row].Label;

    public string Id(int row) => $"{row}";
}
