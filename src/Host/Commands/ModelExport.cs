using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Tokenization;

namespace ActorTrainer.Host.Commands;

internal static class ModelExport
{
    public static string Write(string runFolder, CheckpointManifest manifest, ContentStore store, WordPieceTokenizer? tokenizer) => runFolder;
}
