using ActorTrainer.Actors.DataPlane;
using ActorTrainer.Model.Data;
using ActorTrainer.Model.FineTuning;
using ActorTrainer.Model.Glue;

namespace ActorTrainer.Actors.Coordination;

/// <summary>
/// Rows of a GLUE task as micro-batches. Inputs: token ids [rows, length] int64 and padding mask [rows, length] of ones and zeros, float32;
/// targets: labels [rows], int64 classes or float32 scores. Epochs follow each other without a gap, each in an order of its own.
/// </summary>
/// <param name="train">Training rows.</param>
/// <param name="heldOut">Rows that the pipeline evaluates on; null: none.</param>
/// <param name="padding">How far rows are padded.</param>
/// <param name="shuffle">False: every epoch in the order of the file.</param>
/// <param name="seed">Seed of the orders.</param>
public sealed class GlueBatchSource(IEncodedRows train, IEncodedRows? heldOut, PaddingKind padding, bool shuffle, ulong seed) : IBatchSource
{
    /// <inheritdoc/>
    public int TokensPerSequence => train.Sequence;

    /// <inheritdoc/>
    public int TargetsPerSequence => 1;

    /// <inheritdoc/>
    public long HeldOutSequences => heldOut?.Count ?? 0;

    /// <summary>What decides the batches' bits.</summary>
    public string Key => $"{train.Key}-{padding}-{(shuffle ? "shuffled" : "in-order")}".ToLowerInvariant();

    /// <inheritdoc/>
    public (IPayload Inputs, IPayload Targets) Take(long first, int rows, long step) =>
        RowBatch.Payloads(train, [.. Enumerable.Range(0, rows).Select(i => RowAt(first + i))], padding);

    /// <inheritdoc/>
    public (IPayload Inputs, IPayload Targets) TakeHeldOut(long first, int rows) =>
        RowBatch.Payloads(heldOut!, [.. Enumerable.Range((int)first, rows)], padding);

    /// <summary>
    /// Mean −ln p of the labels for a guesser that knows only how frequent each class is in the training rows; for scores the mean squared
    /// distance to the training rows' mean.
    /// </summary>
    public double HeldOutBaseline(long sequences)
    {
        var labels = Enumerable.Range(0, (int)sequences).Select(heldOut!.Label).ToList();
        var known = Enumerable.Range(0, train.Count).Select(train.Label).ToList();
        if (train.Task.IsRegression)
        {
            var mean = known.Average(label => (double)label);
            return labels.Average(label => (label - mean) * (label - mean));
        }

        // One more of each: a class that the training rows lack is not impossible.
        var counts = known.CountBy(label => (int)label).ToDictionary();
        return labels.Average(label => -Math.Log((counts.GetValueOrDefault((int)label) + 1.0) / (known.Count + train.Task.Outputs)));
    }

    private int RowAt(long position)
    {
        var (epoch, index) = Math.DivRem(position, train.Count);
        return (int)(shuffle ? BlockOrder.BlockAt(seed, epoch, index, train.Count) : index);
    }
}
