using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using ActorTrainer.Model.Tokenization;

namespace ActorTrainer.Model.Glue;

/// <summary>A split as token ids: <c>cls A sep B sep</c>, a single sentence with an empty second one.</summary>
public sealed class EncodedSplit : IEncodedRows
{
    private readonly int[] _ids;
    private readonly int[] _starts;
    private readonly IReadOnlyList<GlueExample> _examples;

    private EncodedSplit(GlueSplit split, int[] ids, int[] starts, int sequence, int padId)
    {
        (Task, Name, Sequence, PadId) = (split.Task, split.Name, sequence, padId);
        (_ids, _starts, _examples) = (ids, starts, split.Examples);
        Key = KeyOf();
    }

    /// <inheritdoc/>
    public GlueTaskInfo Task { get; }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public string Key { get; }

    /// <inheritdoc/>
    public int Count => _examples.Count;

    /// <inheritdoc/>
    public int Sequence { get; }

    /// <inheritdoc/>
    public int PadId { get; }

    /// <summary>Encodes a split.</summary>
    /// <param name="split">The text.</param>
    /// <param name="tokenizer">The model's tokenizer.</param>
    /// <param name="sequence">Most tokens of a row; longer ones are cut, the longer sentence first.</param>
    public static EncodedSplit Encode(GlueSplit split, ITokenizer tokenizer, int sequence)
    {
        var rows = new int[split.Examples.Count][];
        Parallel.For(0, rows.Length, i => rows[i] = tokenizer.EncodePair(split.Examples[i].First, split.Examples[i].Second, sequence));
        var starts = new int[rows.Length + 1];
        for (var i = 0; i < rows.Length; i++)
        {
            starts[i + 1] = starts[i] + rows[i].Length;
        }

        return new EncodedSplit(split, [.. rows.SelectMany(row => row)], starts, sequence, tokenizer.Special.Pad);
    }

    /// <inheritdoc/>
    public ReadOnlySpan<int> Ids(int row) => _ids.AsSpan(_starts[row], Length(row));

    /// <inheritdoc/>
    public int Length(int row) => _starts[row + 1] - _starts[row];

    /// <inheritdoc/>
    public float Label(int row) => _examples[row].Label;

    /// <inheritdoc/>
    public string Id(int row) => _examples[row].Id;

    private string KeyOf()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> numbers = stackalloc byte[8];
        BinaryPrimitives.WriteInt32LittleEndian(numbers, Sequence);
        BinaryPrimitives.WriteInt32LittleEndian(numbers[4..], PadId);
        hash.AppendData(numbers);
        hash.AppendData(MemoryMarshal.AsBytes(_starts.AsSpan()));
        hash.AppendData(MemoryMarshal.AsBytes(_ids.AsSpan()));
        hash.AppendData(MemoryMarshal.AsBytes(_examples.Select(example => example.Label).ToArray().AsSpan()));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
