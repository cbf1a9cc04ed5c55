using System.Security.Cryptography;
using ActorTrainer.Actors.DataPlane;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Stages;
using ActorTrainer.Actors.Telemetry;
using ActorTrainer.He.Layers;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Tensors;
using ActorTrainer.Model.Checkpoints;

namespace ActorTrainer.Actors.Encrypted;

/// <summary>
/// The encrypted computation of a stage: runs of layers and the head on ciphertexts, with evaluation keys and base weights in the clear. Activations are the packed
/// features and behind them the masks, which travel on; the data owner refreshes. Loss and norms stay unknown here.
/// </summary>
/// <param name="store">Content-addressed objects: base weights, evaluation keys, encrypted states.</param>
/// <param name="contexts">Those of this process.</param>
/// <param name="connect">Makes the way to the data owner.</param>
public sealed class EncryptedStage(IObjectStore store, CkksContexts contexts, Func<EncryptedRecipe, CkksContext, IOwnerLink> connect) : IStageComputation
{
    private readonly Dictionary<(int Chunk, int MicroBatch), InFlight> _inFlight = [];
    private EncryptedChunks? _built;
    private IOwnerLink? _owner;
    private StageProtocol.RunStep _step = new("", 0, 0, Phase.Train, 0, 0, false, false);
    private long _evaluated;
    private IReadOnlyList<KeyRequest> _usedBefore = [];

    private EncryptedChunks Built => _built ?? throw new InvalidOperationException("The stage was not prepared.");

    private IOwnerLink Owner => _owner ?? throw new InvalidOperationException("The stage was not prepared.");

    /// <inheritdoc/>
    public IReadOnlyCollection<string> Units => [.. Built.All.Select(unit => unit.Name)];

    /// <summary>Evaluation keys in memory, each up to its level.</summary>
    public IReadOnlyList<KeyRequest> Keys => _built?.Keys ?? [];

    /// <summary>Keys used so far; once it is disposed, by the last attempt.</summary>
    public IReadOnlyList<KeyRequest> UsedKeys => _built?.UsedKeys ?? _usedBefore;

    /// <inheritdoc/>
    public void Prepare(StageProtocol.Prepare plan)
    {
        Release();
        var recipe = EncryptedRecipe.Parse(plan.Recipe);
        var context = contexts.Open(recipe.Parameters(), recipe.Threads);
        _owner = connect(recipe, context);
        _built = EncryptedChunks.Build(plan, recipe, store, context, _owner);
    }

    /// <inheritdoc/>
    public void Begin(StageProtocol.RunStep step)
    {
        DropInFlight();
        (_step, _evaluated) = (step, 0);
        foreach (var unit in Built.All)
        {
            unit.Begin();
        }
    }

    /// <inheritdoc/>
    public IPayload? Forward(int chunk, int microBatch, IPayload input, IPayload? targets)
    {
        Scope(microBatch);
        var (ciphertexts, layout) = (((CipherPayload)input).Ciphertexts, Built.Packing.Hidden);
        var (x, mask) = (new Activation(layout, [.. ciphertexts.Take(layout.Ciphertexts)]), ciphertexts.Skip(layout.Ciphertexts).ToArray());
        var item = new InFlight(((CipherPayload?)targets)?.Ciphertexts ?? []);
        foreach (var layer in Built.Layers(chunk))
        {
            var (output, tape) = layer.Forward(Built.Math, x, mask);
            x.Dispose();
            (x, item.Tapes) = (output, [.. item.Tapes, tape]);
        }

        if (Built.Head(chunk) is not { } head)
        {
            Keep(chunk, microBatch, item);
            return new CipherPayload(Built.Context, [.. x.Parts, .. mask]);
        }

        Array.ForEach(mask, m => m.Dispose());
        using (x)
        {
            (item.Outputs, item.Head) = head.Forward(Built.Math, x);
        }

        if (_step.Phase == Phase.Evaluate)
        {
            Owner.Report(item.Outputs, OutputSite(head.Name));
            _evaluated += Built.Packing.Batch;
        }

        Keep(chunk, microBatch, item);
        return null;
    }

    /// <summary>Site of the outputs that the owner is shown in evaluations.</summary>
    public static string OutputSite(string head) => $"{head}.outputs";

    /// <inheritdoc/>
    public IPayload? Backward(int chunk, int microBatch, IPayload? gradient)
    {
        if (!_inFlight.Remove((chunk, microBatch), out var item))
        {
            throw new InvalidOperationException($"Backward of micro-batch {microBatch} on part {chunk} without its forward.");
        }

        Scope(microBatch);
        using (item)
        {
            var current = Built.Head(chunk) is { } head
                ? head.Backward(Built.Math, item.Head!, item.Outputs, item.Targets, _step.Scale)
                : new Activation(Built.Packing.Hidden, ((CipherPayload)gradient!).Ciphertexts);
            var layers = Built.Layers(chunk);
            for (var i = layers.Count - 1; i >= 0; i--)
            {
                using var above = current;
                current = layers[i].Backward(Built.Math, item.Tapes[i], above!, wantsInput: i > 0 || !Built.IsFirst(chunk));
            }

            return current is null ? null : new CipherPayload(Built.Context, current.Parts);
        }
    }

    /// <inheritdoc/>
    public IPayload TiedGradient() => throw new NotSupportedException("Nothing is tied to the embedding, which the owner computes.");

    /// <inheritdoc/>
    public void ReduceTied(IPayload? gradient) => TiedGradient();

    /// <inheritdoc/>
    public IPayload TiedWeight() => TiedGradient();

    /// <inheritdoc/>
    public void AcceptTiedWeight(IPayload weight) => TiedGradient();

    /// <inheritdoc/>
    public StepGradients Gradients() => new(new Dictionary<int, double[]>(), double.NaN, -1, Hidden: true);

    /// <inheritdoc/>
    public void Update(StageProtocol.Update update)
    {
        Scope(-1);
        foreach (var unit in Built.All)
        {
            if (update.Skip)
            {
                unit.Begin();
            }
            else
            {
                unit.Update(Built.Math, update.LearningRate);
            }
        }
    }

    /// <inheritdoc/>
    public EvaluationScore? Score() => Built.HoldsHead ? new EvaluationScore(double.NaN, 0, _evaluated) : null;

    /// <summary>Hashes of the encrypted states: refreshes are random, so two runs that agree have different ones.</summary>
    public IReadOnlyList<LayerDigest> Digest() => [.. Built.All.Select(unit => new LayerDigest(
        unit.Name, Hash(unit.State.Select(pack => pack.Weights)), Hash(unit.State.SelectMany(pack => (Ciphertext[])[pack.Mean, pack.Square])), $"{unit.Steps}"))];

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Save() => Built.All.ToDictionary(
        unit => unit.Name, unit => store.Put(stream => EncryptedUnitState.Write(stream, Built.Context, unit.Steps, unit.State)));

    /// <inheritdoc/>
    public OutsideWork Outside => _owner?.Traffic is { } traffic ? new OutsideWork(traffic.Seconds, traffic.Lifted) : default;

    /// <inheritdoc/>
    public long Progress => _built?.Progress ?? 0;

    /// <inheritdoc/>
    public string? Outage => _owner?.Outage;

    /// <inheritdoc/>
    public void Abandon() => _owner?.Cancel();

    /// <inheritdoc/>
    public void Dispose() => Release();

    private void Scope(int microBatch) => Owner.Begin(_step.Run, _step.Attempt, _step.Step, _step.Phase, microBatch);

    private string Hash(IEnumerable<Ciphertext> ciphertexts)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var ciphertext in ciphertexts)
        {
            hash.AppendData(He.Wire.WireWriter.ToBytes(Built.Context, ciphertext));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private void Keep(int chunk, int microBatch, InFlight item)
    {
        if (_step.Phase == Phase.Train)
        {
            _inFlight.Add((chunk, microBatch), item);
        }
        else
        {
            item.Dispose();
        }
    }

    private void DropInFlight()
    {
        foreach (var item in _inFlight.Values)
        {
            item.Dispose();
        }

        _inFlight.Clear();
    }

    private void Release()
    {
        DropInFlight();
        _usedBefore = UsedKeys;
        _built?.Dispose();
        _owner?.Dispose();
        (_built, _owner) = (null, null);
    }

    /// <summary>One micro-batch between its forward and its backward.</summary>
    private sealed class InFlight(IReadOnlyList<Ciphertext> targets) : IDisposable
    {
        public IReadOnlyList<Ciphertext> Targets => targets;

        public IReadOnlyList<EncoderLayer.Tape> Tapes { get; set; } = [];

        public ClassifierHead.Tape? Head { get; set; }

        public Ciphertext[] Outputs { get; set; } = [];

        public void Dispose()
        {
            foreach (var tape in Tapes)
            {
                tape.Dispose();
            }

            Head?.Dispose();
            foreach (var ciphertext in Targets.Concat(Outputs))
            {
                ciphertext.Dispose();
            }
        }
    }
}
