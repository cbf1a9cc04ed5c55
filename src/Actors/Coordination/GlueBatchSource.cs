using System.Runtime.InteropServices;
using ActorTrainer.Actors.DataPlane;
using ActorTrainer.Model.Data;
using ActorTrainer.Model.FineTuning;
using ActorTrainer.Model.Glue;
using static TorchSharp.torch;

namespace ActorTrainer.Actors.Coordination;

/// <summary>
/// Micro-batches of a GLUE task: inputs are token ids [rows, S] int64 and the padding mask [rows, S] float32, targets the labels [rows], int64
/// classes or float32 scores. Epoch follows epoch without a break: a step may take the last rows of one and the first of the next.
/// </summary>
/// <param name="train">Training rows.</param>
/// <param name="heldOut">Labelled rows to evaluate on, in their order; null: none.</param>
/// <param name="seed">Seed of the orders.</param>
/// <param name="shuffle">True: every epoch has an order of its own; false: that of the file.</param>
/// <param name="padding">How far rows are padded.</param>
/// <param name="trainRows">Most training rows used, the first of the split; 0: all.</param>
public sealed class GlueBatchSource(
    IEncodedRows train, IEncodedRows? heldOut, ulong seed, bool shuffle = true, PaddingKind padding = PaddingKind.Full, int trainRows = 0) : IBatchSource
{
    private const int PaddingStep = 8;
    private readonly int _rows = trainRows > 0 ? Math.Min(trainRows, train.Count) : train.Count;

    /// <summary>Training rows of an epoch.</summary>
    public int EpochRows => _rows;

    /// <inheritdoc/>
    public int TokensPerSequence => train.Sequence;

    /// <inheritdoc/>
    public int TargetsPerSequence => 1;

    /// <inheritdoc/>
    public long HeldOutSequences => heldOut?.Count ?? 0;

    /// <summary>The training row at a position of the run.</summary>
    public int RowAt(long position)
    {
        var (epoch, index) = Math.DivRem(position, _rows);
        return (int)(shuffle ? BlockOrder.BlockAt(seed, epoch, index, _rows) : index);
    }

    /// <inheritdoc/>
    public (IPayload Inputs, IPayload Targets) Take(long first, int rows, long step) =>
        Payloads(train, [.. Enumerable.Range(0, rows).Select(i => RowAt(first + i))], padding);

    /// <inheritdoc/>
    public (IPayload Inputs, IPayload Targets) TakeHeldOut(long first, int rows) =>
        Payloads(heldOut ?? throw new InvalidOperationException("There are no held-out rows."), [.. Enumerable.Range((int)first, rows)], padding);

    /// <summary>
    /// What a guesser that knows only the training labels loses on the first held-out rows: the mean cross-entropy under their frequencies
    /// (add-one smoothing), or the mean squared distance to their mean.
    /// </summary>
    public double HeldOutBaseline(long sequences)
    {
        var known = Enumerable.Range(0, _rows).Select(row => (double)train.Label(row));
        var asked = Enumerable.Range(0, (int)sequences).Select(row => (double)heldOut!.Label(row));
        if (train.Task.IsRegression)
        {
            var mean = known.Average();
            return asked.Average(label => (label - mean) * (label - mean));
        }

        var counts = new long[train.Task.Outputs];
        foreach (var label in known)
        {
            counts[(int)label]++;
        }

        return UnigramBaseline.CrossEntropy(counts, asked.Select(label => (int)label));
    }

    /// <summary>Inputs and targets of some rows.</summary>
    internal static (IPayload Inputs, IPayload Targets) Payloads(IEncodedRows from, int[] rows, PaddingKind padding)
    {
        var width = from.Sequence;
        if (padding == PaddingKind.Longest)
        {
            var longest = rows.Max(from.Length);
            width = Math.Min(width, (longest + PaddingStep - 1) / PaddingStep * PaddingStep);
        }

        var (ids, mask) = (New(ScalarType.Int64, rows.Length, width), New(ScalarType.Float32, rows.Length, width));
        var idData = MemoryMarshal.Cast<byte, long>(ids.bytes);
        var maskData = MemoryMarshal.Cast<byte, float>(mask.bytes);
        idData.Fill(from.PadId);
        maskData.Clear();
        for (var i = 0; i < rows.Length; i++)
        {
            var tokens = from.Ids(rows[i])[..from.Length(rows[i])];
            for (var t = 0; t < tokens.Length; t++)
            {
                idData[i * width + t] = tokens[t];
            }

            maskData.Slice(i * width, tokens.Length).Fill(1);
        }

        return (new TensorPayload(ids, mask), new TensorPayload(Labels(from, rows)));
    }

    private static Tensor Labels(IEncodedRows from, int[] rows)
    {
        var labels = New(from.Task.IsRegression ? ScalarType.Float32 : ScalarType.Int64, rows.Length);
        for (var i = 0; i < rows.Length; i++)
        {
            var label = from.Label(rows[i]);
            if (from.Task.IsRegression)
            {
                MemoryMarshal.Cast<byte, float>(labels.bytes)[i] = label;
            }
            else
            {
                MemoryMarshal.Cast<byte, long>(labels.bytes)[i] = (long)label;
            }
        }

        return labels;
    }

    private static Tensor New(ScalarType type, params long[] shape) => empty(shape, type).DetachFromDisposeScope();
}
