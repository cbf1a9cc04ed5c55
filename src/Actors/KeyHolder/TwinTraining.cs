using ActorTrainer.Actors.Encrypted;
using ActorTrainer.He.Backends;
using ActorTrainer.He.Layers;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Refresh;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Tensors;
using ActorTrainer.He.Training;
using ActorTrainer.Model.Export;

namespace ActorTrainer.Actors.KeyHolder;

/// <summary>The encrypted program on numbers in the clear, for the owner: what ciphertexts would learn without any noise.</summary>
public sealed class TwinTraining : IDisposable
{
    private readonly TwinBackend _twin;
    private readonly BoundProbe _probe;
    private readonly TensorMath _math;
    private readonly EncryptedModel _model;
    private readonly EncryptedUnits _makers;

    /// <param name="parameters">Of the encryption.</param>
    /// <param name="makers">Of the program.</param>
    /// <param name="build">Makes the model.</param>
    /// <param name="initial">Learned weights of a unit at the beginning, by its layout's names.</param>
    /// <param name="refreshing">Who refreshes what it stands for; null for the owner.</param>
    public TwinTraining(
        CkksParameters parameters, EncryptedUnits makers, Func<EncryptedModel> build, Func<string, IReadOnlyDictionary<string, double[]>> initial, Refreshing? refreshing = null)
    {
        (_twin, _makers) = (new TwinBackend(parameters), makers);
        var how = refreshing ?? new Refreshing(RefreshKind.Owner, parameters);
        _probe = new BoundProbe(how.InTheClear(_twin));
        _math = new TensorMath(new Evaluator(_twin), _probe, makers.Packing);
        _model = build();
        foreach (var unit in _model.Units)
        {
            // Where it is between steps, so that its bounds are found in the first.
            var level = how.Floor + EncryptedUnit.StateLevel;
            unit.Load(0, [.. unit.Layout.Pack(initial(unit.Name)).Select(slots => new AdamWPack(PutAt(level, slots), PutAt(level, new double[slots.Length]), PutAt(level, new double[slots.Length])))]);
        }
    }

    /// <summary>One step.</summary>
    /// <param name="rows">Exported rows, each with its embedded tokens; a micro-batch after the other.</param>
    /// <param name="outputs">Outputs of the task.</param>
    public void Step(IReadOnlyList<TwinRow> rows, int sequence, int outputs, bool isRegression, double learningRate)
    {
        var (packing, slots) = (_makers.Packing, new MicroBatchSlots(_makers.Packing, sequence));
        _model.Step(_math, rows.Chunk(packing.Batch).Select(chunk => new EncryptedBatch(
            new Activation(packing.Hidden, [.. slots.Inputs([.. chunk.Select(row => row.Embedded)]).Select(Put)]),
            [.. slots.Masks([.. chunk.Select(row => row.Tokens)]).Select(Put)],
            [.. MicroBatchSlots.Targets([.. chunk.Select(row => row.Label)], outputs, isRegression).Select(Spread)])), 1.0 / rows.Count, learningRate);
    }

    /// <summary>See <see cref="EncryptedRecipe.Bounds"/>: from what was seen in the steps so far.</summary>
    /// <param name="headroom">How many times as large values may get later.</param>
    public IReadOnlyDictionary<string, double> Bounds(double headroom) => _probe.Bounds(headroom);

    /// <summary>Learned weights of a unit now.</summary>
    public IReadOnlyDictionary<string, double[]> Learned(string unit)
    {
        var found = _model.Units.Single(u => u.Name == unit);
        return found.Layout.Unpack([.. found.State.Select(pack => TwinBackend.Values(pack.Weights).Select(value => value.Real).ToArray())]);
    }

    public void Dispose() => _model.Dispose();

    /// <summary>A number for each example, in every place and token.</summary>
    private Ciphertext Spread(double[] examples) => Put([.. Enumerable.Range(0, _makers.Packing.Slots).Select(slot => examples[slot % examples.Length])]);

    private Ciphertext Put(double[] slots) => PutAt(_twin.Parameters.MaxLevel, slots);

    private Ciphertext PutAt(int level, double[] slots) => _twin.Encrypt(new PlainVector(slots), level);
}

/// <summary>An exported row.</summary>
/// <param name="Embedded">Sequence × hidden, row-major.</param>
/// <param name="Tokens">Tokens without padding.</param>
/// <param name="Label">Class or number.</param>
public sealed record TwinRow(float[] Embedded, int Tokens, float Label)
{
    /// <summary>Reads a row.</summary>
    public static TwinRow Of(ExportReader source, int row)
    {
        var (embedded, mask) = (new float[source.Manifest.Sequence * source.Manifest.Hidden], new byte[source.Manifest.Sequence]);
        var read = source.Read(row, embedded, mask);
        return new TwinRow(embedded, read.TokenCount, read.Label);
    }
}
