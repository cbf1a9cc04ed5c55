using System.Collections.Concurrent;
using System.Numerics;
using ActorTrainer.Actors.Coordination;
using ActorTrainer.Actors.DataPlane;
using ActorTrainer.Actors.DataPlane.Peers;
using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.Encrypted.Serving;
using ActorTrainer.Actors.KeyHolder;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Tensors;
using ActorTrainer.He.Training;
using ActorTrainer.He.Wire;
using ActorTrainer.Model.Checkpoints;
using static TorchSharp.torch;

namespace ActorTrainer.Tests.Encrypted;

/// <summary>The data owner of a made task: keys, encrypted initial weights and batches, and the refreshes of a run.</summary>
internal sealed class MadeOwner : IOwnerObserver, IDisposable
{
    private readonly MadeTask _task;
    private readonly KeyGenerator _generator;
    private readonly SecretKey _secret;
    private readonly DataOwner _owner;
    private readonly EncryptedPlan? _placed;

    /// <param name="seed">Of the keys; null: a random one.</param>
    /// <param name="recipe">With bootstrapping, for which it is planned; null: the task's.</param>
    public MadeOwner(MadeTask task, string folder, Seed? seed = null, EncryptedRecipe? recipe = null)
    {
        (_task, Recipe) = (task, recipe ?? task.Recipe);
        if (Recipe.Refresh != RefreshKind.Owner)
        {
            _placed = Place();
            Recipe = Recipe with { Reach = _placed.Reach, Bounds = MadeTwin.Bounds(task, (Recipe with { Reach = _placed.Reach }).Refreshing(Recipe.Parameters()), Recipe.Parameters()) };
        }

        Context = new CkksContext(Recipe.Parameters());
        Packing = Recipe.Packing(Context.Parameters);
        _generator = seed is { } given ? new KeyGenerator(Context, given, allowInsecure: true) : new KeyGenerator(Context, allowInsecure: true);
        _secret = _generator.NewSecretKey();
        var makers = new EncryptedUnits(Recipe, Packing);
        var files = WriteBase(folder);
        Plan = WholePlan.Of(
            Context.Parameters, Packing, () => new EncryptedModel(
                [.. Recipe.Units.SkipLast(1).Select(unit => (EncryptedLayerUnit)makers.Create(unit, files[unit]))],
                (EncryptedHeadUnit)makers.Create("head", files["head"])),
            task.Shape.Outputs);
        _owner = new DataOwner(Context, _secret, new RefreshBook(sites: _placed?.Sites ?? Plan.Sites), new DataOwnerSettings(Threads: 2), this);
        Server = new RefreshServer(_owner, new PeerCounters(), TimeSpan.FromMinutes(1));
    }

    public EncryptedRecipe Recipe { get; }

    public CkksContext Context { get; }

    public Packing Packing { get; }

    /// <summary>Of the owner's refreshes.</summary>
    public WholePlan Plan { get; }

    public RefreshServer Server { get; }

    public SecretKey Secret => _secret;

    /// <summary>What was decrypted, by request.</summary>
    public ConcurrentDictionary<RefreshKey, double[]> Seen { get; } = new();

    /// <summary>Stores base weights, evaluation keys and encrypted initial weights; returns name → hash.</summary>
    public IReadOnlyDictionary<string, string> Objects(IObjectStore store)
    {
        var objects = new Dictionary<string, string>();
        using var keys = _generator.NewEvaluationKeys(_secret, _placed?.Keys ?? Plan.Step.Keys);
        objects.Add(EncryptedRecipe.KeysObject, store.Put(stream =>
        {
            WireWriter.Write(stream, Context, keys);
            if (_placed is not null)
            {
                using var sparse = _generator.NewEncapsulationKeys(_secret);
                WireWriter.Write(stream, Context, sparse);
            }
        }));
        using var cipher = new AdapterCipher(Context, _secret, Recipe.Refreshing(Context.Parameters).Floor);
        var makers = new EncryptedUnits(Recipe, Packing);
        foreach (var unit in _task.Units)
        {
            objects.Add(unit.Name, store.Put(stream => MadeTask.Write(unit, stream)));
            objects.Add(EncryptedRecipe.InitialObject(unit.Name), store.Put(stream => cipher.Write(stream, makers.Layout(unit.Name), MadeTask.Learned(unit))));
        }

        return objects;
    }

    /// <summary>Learned weights of a unit from its stored state.</summary>
    public IReadOnlyDictionary<string, double[]> Decrypt(string unit, string file)
    {
        using var cipher = new AdapterCipher(Context, _secret);
        return cipher.Read(file, new EncryptedUnits(Recipe, Packing).Layout(unit)).Tensors;
    }

    public IBatchSource Batches() => new Source(this);

    public void Observed(RefreshKey key, int index, IReadOnlyList<Complex> slots) => Seen[key with { Ordinal = (key.Ordinal * 100) + index }] = [.. slots.Select(s => s.Real)];

    public void Dispose()
    {
        _owner.Dispose();
        _secret.Dispose();
        _generator.Dispose();
        Context.Dispose();
    }

    private EncryptedPlan Place()
    {
        using var program = new MadeProgram(_task, Recipe);
        var how = Recipe.Refreshing(Recipe.Parameters());
        return EncryptedPlan.From(program.Units(how.With(_ => how.HighestReach * 3 / 5)), "made");
    }

    private Dictionary<string, string> WriteBase(string folder) => _task.Units.ToDictionary(unit => unit.Name, unit =>
    {
        var file = Path.Combine(folder, $"{unit.Name}.safetensors");
        using var stream = File.Create(file);
        MadeTask.Write(unit, stream);
        return file;
    });

    private sealed class Source(MadeOwner owner) : IBatchSource
    {
        private readonly Encoder _encoder = new(owner.Context);

        public int TokensPerSequence => owner.Recipe.Tokens;

        public int TargetsPerSequence => 1;

        public long HeldOutSequences => owner.Recipe.Batch;

        public (IPayload Inputs, IPayload Targets) Take(long first, int rows, long step)
        {
            var number = (int)(first / owner.Recipe.Batch);
            using var scope = NewDisposeScope();
            var (values, real) = (TwinModel.Doubles(owner._task.Input(number)), TwinModel.Doubles(owner._task.Mask()));
            var (packing, levels) = (owner.Packing, owner._placed?.Levels ?? owner.Plan.Levels);
            var inputs = packing.Hidden.Pack((b, t, f) => values[(((b * packing.Tokens) + t) * packing.Hidden.Features) + f]).Select(slots => Encrypt(slots, levels.Inputs));
            var masks = TwinModel.MaskSlots(packing, real).Select(slots => Encrypt(slots, levels.Masks));
            return (new CipherPayload(owner.Context, [.. inputs, .. masks]),
                new CipherPayload(owner.Context, [.. owner._task.Targets(packing, number).Select(slots => Encrypt(slots, levels.Targets))]));
        }

        public (IPayload Inputs, IPayload Targets) TakeHeldOut(long first, int rows) => Take(first, rows, 0);

        public double HeldOutBaseline(long sequences) => double.NaN;

        private Ciphertext Encrypt(double[] slots, int level)
        {
            using var encryptor = new Encryptor(owner.Context);
            using var plaintext = _encoder.Encode(slots, level, owner.Context.Parameters.ScaleAt(level));
            return encryptor.Encrypt(plaintext, owner._secret);
        }
    }
}
