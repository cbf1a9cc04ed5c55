using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.KeyHolder;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;
using ActorTrainer.Model.Export;
using ActorTrainer.Model.Glue;
using ActorTrainer.Tests.Export;

namespace ActorTrainer.Tests.KeyHolder;

/// <summary>An owner with keys of a toy set, and an export of made rows: 12 tokens of 2 heads of 8 features.</summary>
internal sealed class OwnerFixture : IDisposable
{
    /// <summary>N = 2^10, four levels: 512 slots.</summary>
    public static readonly ParametersLiteral Toy = new()
    {
        Name = "InsecureTestOwner",
        LogDegree = 10,
        Chain = [new(49, 1, "message"), new(41, 3, "products")],
        Special = new(49, 2, "key switching"),
        Purpose = "tests of the owner's files",
        AllowInsecure = true,
    };

    /// <summary>16 tokens of 4 examples: eight places, so a ciphertext for each head and two groups of shifts.</summary>
    public static readonly PackingShape Wide = new(16, 4, 2, 8);

    /// <summary>8 tokens of 4 examples: both heads in one ciphertext, one group of shifts, and rows that are too long.</summary>
    public static readonly PackingShape Short = new(8, 4, 2, 8);

    public static readonly EncryptionLevels Levels = new(3, 2, 1);

    public static readonly KeyRequest[] Requests = [new(KeyRequest.Relinearisation, 3), new(5, 2)];

    private readonly ExportFixture _export = new();

    public OwnerFixture(PackingShape? packing = null)
    {
        Packing = packing ?? Wide;
        Purpose = new KeyPurpose("small", DataExport.EmbeddingHash(_export.Embedding), ["mrpc"], Packing);
    }

    public PackingShape Packing { get; }

    public KeyPurpose Purpose { get; }

    /// <summary>A folder for the test.</summary>
    public string Root => _export.Root;

    public string KeyFolder => Path.Combine(Root, "keys");

    public void CreateKeys(string? folder = null, IReadOnlyList<KeyRequest>? requests = null) =>
        OwnerKeys.Create(folder ?? KeyFolder, new CkksParameters(Toy), requests ?? Requests, Purpose, allowInsecure: true);

    public OwnerKeys OpenKeys(string? folder = null) => OwnerKeys.Open(folder ?? KeyFolder, allowInsecure: true);

    public OwnerKeys NewKeys()
    {
        CreateKeys();
        return OpenKeys();
    }

    public ExportReader Export(GlueTask task = GlueTask.Mrpc, string split = "train", int count = 37)
    {
        DataExport.Write(Root, _export.Plan(ExportFixture.Rows(task, split, count)));
        return ExportReader.Open(DataExport.FolderOf(Root, GlueTasks.Of(task).Name, split));
    }

    /// <summary>Shards of two micro-batches.</summary>
    public EncryptionPlan Plan(ExportReader source, OwnerKeys keys, string name = "encrypted")
    {
        var outputs = Math.Max(1, source.Manifest.Labels.Classes.Count);
        return new EncryptionPlan
        {
            Source = source,
            Keys = keys,
            Folder = EncryptedDataset.FolderOf(Path.Combine(Root, name), source.Manifest.Task, source.Manifest.Split),
            OwnerFile = OwnerExamples.FileOf(Path.Combine(KeyFolder, name), source.Manifest.Task, source.Manifest.Split),
            Packing = Packing,
            Levels = Levels,
            Training = source.Manifest.Split == "train",
            OrderSeed = 11,
            ShardBytes = (2 * BundleSizes.Of(keys.Parameters, Packing.Of(keys.Parameters), Levels, outputs).Bytes) + 1,
        };
    }

    public static Dictionary<string, string> Content(string folder) => ExportFixture.Content(folder);

    public void Dispose() => _export.Dispose();
}
