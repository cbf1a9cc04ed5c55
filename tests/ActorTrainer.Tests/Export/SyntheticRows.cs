using ActorTrainer.Model.Glue;

namespace ActorTrainer.Tests.Export;

/// <summary>Rows computed from their numbers.</summary>
internal sealed class SyntheticRows(GlueTask task, string name, int count, int sequence, int vocabulary) : IEncodedRows
{
    private readonly int[] _ids = new int[sequence];

    public int Count => count;

    public int Sequence { get; } = sequence;

    public int PadId { get; init; }

    public string Key { get; init; } = "key";

    public GlueTaskInfo Task => GlueTasks.Of(task);

    public string Name => name;

    /// <summary>Tokens of the longest row.</summary>
    public int MostTokens { get; init; } = sequence;

    /// <summary>Row whose label is no class of any task, or −1.</summary>
    public int BadLabel { get; init; } = -1;

    /// <summary>Row with a token beyond the vocabulary, or −1.</summary>
    public int BadToken { get; init; } = -1;

    /// <summary>What ids of rows begin with.</summary>
    public string Prefix { get; init; } = $"{name}-ä ";

    public ReadOnlySpan<int> Ids(int row)
    {
        _ids.AsSpan(Length(row), MostTokens - Length(row)).Fill(PadId);
        for (var i = 0; i < Length(row); i++)
        {
            _ids[i] = 1 + (int)((row * 7919L + i * 104729L) % (vocabulary - 1));
        }

        _ids[0] = row == BadToken ? vocabulary : _ids[0];
        return MostTokens < Sequence ? _ids.AsSpan(0, MostTokens) : _ids;
    }

    public int Length(int row) => 1 + (int)(row * 5L % MostTokens);

    public float Label(int row) => row == BadLabel ? 17 : Task.IsRegression ? row * 0.25f : row % Task.Labels.Count;

    public string Id(int row) => $"{Prefix}{row}";
}
