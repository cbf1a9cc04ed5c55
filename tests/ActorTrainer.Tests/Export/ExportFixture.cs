using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Export;
using ActorTrainer.Model.Glue;
using ActorTrainer.Tests.Checkpoints;

namespace ActorTrainer.Tests.Export;

/// <summary>A small model and a folder.</summary>
internal sealed class ExportFixture : IDisposable
{
    public const int Vocabulary = 50;
    public const int Sequence = 12;
    private readonly TemporaryFolder _folder = new();

    public ExportFixture(int hidden = 16, int sequence = Sequence)
    {
        Arch = new() { Layers = 1, Hidden = hidden, Heads = 2, FeedForward = 32, Vocabulary = Vocabulary, Sequence = sequence, Dropout = 0.5 };
        Embedding = new(Arch, 7);
    }

    public BertConfig Arch { get; }

    public EmbeddingUnit Embedding { get; }

    public string Root => _folder.Path;

    /// <summary>A plan with shards of about ten rows of the small model.</summary>
    public ExportPlan Plan(params IEncodedRows[] splits) => new()
    {
        Model = "small",
        Arch = Arch,
        Embedding = Embedding,
        TokenizerHash = "tokens",
        Splits = splits,
        ShardBytes = 8000,
        BlockRows = 3,
    };

    public static SyntheticRows Rows(GlueTask task = GlueTask.Mrpc, string name = "train", int count = 37) => new(task, name, count, Sequence, Vocabulary);

    public string Folder(string split = "train", string task = "mrpc") => DataExport.FolderOf(Root, task, split);

    /// <summary>Names and content of a split's files.</summary>
    public static Dictionary<string, string> Content(string folder) => Directory.GetFiles(folder)
        .ToDictionary(file => Path.GetFileName(file), file => Convert.ToHexString(File.ReadAllBytes(file)));

    public void Dispose()
    {
        Embedding.Dispose();
        _folder.Dispose();
    }
}
