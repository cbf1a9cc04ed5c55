using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Tokenization;

namespace ActorTrainer.Host.Commands;

/// <summary>The model folder of a checkpoint, in the layout that published crammed BERTs have.</summary>
internal static class ModelExport
{
    /// <summary>
    /// Writes <c>checkpoints/step-…/</c> with model.safetensors, model_config.json, tokenizer.json and the calibration of recorded ranges from the stored unit states, byte by
    /// byte: no process has to hold the model.
    /// </summary>
    /// <returns>Path of the folder.</returns>
    public static string Write(string runFolder, CheckpointManifest manifest, IObjectStore store, WordPieceTokenizer? tokenizer) =>
        CheckpointFolder.Write(runFolder, manifest.Step, folder =>
        {
            StateDict.AssembleModel(folder, manifest.Arch, manifest.Units.Values.Select(store.Verified));
            RecordedRanges.Save(RecordedRanges.Of(manifest, UnitFactory.Names(manifest.Arch), store), folder);
            if (tokenizer is not null)
            {
                TokenizerFile.SaveJson(tokenizer, Path.Combine(folder, CheckpointFolder.TokenizerFile));
            }
        });
}
