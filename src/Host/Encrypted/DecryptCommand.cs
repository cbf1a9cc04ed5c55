using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.KeyHolder;
using ActorTrainer.Host.Cli;
using ActorTrainer.Host.FineTuning;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.FineTuning;
using ActorTrainer.Model.Ranges;
using ActorTrainer.Model.Tokenization;
using static TorchSharp.torch;

namespace ActorTrainer.Host.Encrypted;

/// <summary><c>decrypt</c>: trained adapters and head, in the clear again.</summary>
internal static class DecryptCommand
{
    /// <summary>Decrypts the model of every task, or that of <c>model=</c>.</summary>
    public static Task<int> Run(CommandContext context, CancellationToken stop)
    {
        var run = context.Run;
        var source = PretrainedModel.Of(run, PretrainedModel.IsArchGiven(context.Words));
        foreach (var job in EncryptedJob.All(run, source))
        {
            stop.ThrowIfCancellationRequested();
            using var inputs = EncryptedInputs.Open(job);
            var folder = EncryptedFolders.Model(context, job.Task);
            var target = context.Option("out") ?? EncryptedFolders.Decrypted(run, job.Task);
            var steps = Write(inputs, folder, target);
            context.Out.WriteLine($"{job.Task.Name}: adapters and head of step {steps:N0} in {target}");
            context.Out.WriteLine($"  score them with `actortrainer evaluate model={target}`, or over the base with adapter={Path.Combine(target, FineTunedModel.AdapterFile)}");
            context.Out.WriteLine("  Decrypted numbers carry noise that depends on the secret key: do not publish them beside their ciphertexts (docs/security-he.md).");
        }

        return Task.FromResult(App.Done);
    }

    /// <summary>Decrypts an encrypted model into a folder that holds it in the clear.</summary>
    /// <returns>Steps trained.</returns>
    /// <exception cref="RefusedException">It is of other keys or another model.</exception>
    public static long Write(EncryptedInputs inputs, string folder, string target)
    {
        var model = EncryptedModelFolder.Load(folder);
        model.Require(folder, inputs.Keys.Manifest.KeySha256, inputs.Keys.Folder);
        using var cipher = new AdapterCipher(inputs.Keys.Context, inputs.Keys.Secret);
        var temporary = Directory.CreateTempSubdirectory("actortrainer-decrypt-").FullName;
        try
        {
            var store = new ContentStore(temporary);
            var weights = BaseModel.WriteUnits(inputs.Job.Model.Source, store).ToDictionary(unit => unit.Key, unit => store.PathOf(unit.Value));
            var states = new Dictionary<string, string>();
            foreach (var unit in UnitFactory.Names(model.Recipe.Arch))
            {
                states.Add(unit, Path.Combine(temporary, $"{unit}.learned"));
                Save(states[unit], unit, model.Recipe, model.Recipe.Units.Contains(unit) ? cipher.Read(model.States(folder)[unit], inputs.Program.Units.Layout(unit)).Tensors : null);
            }

            CheckpointFolder.Fill(target, made =>
            {
                FineTunedModel.Write(made, model.Recipe.Arch, model.Recipe.Shape, states, weights, AdapterSaving.Separate);
                TokenizerFile.SaveJson(inputs.Job.Model.Tokenizer, Path.Combine(made, CheckpointFolder.TokenizerFile));
                File.WriteAllText(Path.Combine(made, Calibration.FileName), model.Recipe.Calibration);
            });
            return model.Step;
        }
        finally
        {
            Directory.Delete(temporary, recursive: true);
        }
    }

    /// <summary>Learned tensors of a unit as a state file has them; none for a unit that learns nothing.</summary>
    private static void Save(string path, string name, EncryptedRecipe recipe, IReadOnlyDictionary<string, double[]>? learned)
    {
        using var scope = NewDisposeScope();
        using var unit = UnitFactory.Create(recipe.Arch, UnitFactory.Names(recipe.Arch).ToList().IndexOf(name), seed: 0, fineTune: recipe.Shape);
        var inner = learned is null ? [] : EncryptedNames.Of(name).ToDictionary(pair => pair.Outer, pair => pair.Inner);
        SafeTensors.Write(path, unit.Parameters.Select(p => (p.Name, learned is null ? p.Value : from_array(learned[inner[p.Name]]).to(ScalarType.Float32).reshape(p.Value.shape))));
    }
}
