import type { Task } from './task.js';

export const stories: Task = {
  name: 'stories',
  about: 'what comes next in a simple story',
  questions: [
    { begin: 'Lily dropped her ice cream on the ground. She began to', ends: [' cry.', ' sleep.', ' swim.'] },
    { begin: 'It was very dark in the room, so Ben turned on the', ends: [' light.', ' spoon.', ' tree.'] },
    { begin: 'The dog was thirsty. He drank some', ends: [' water.', ' bread.', ' sand.'] },
    { begin: 'Mia was tired after the long day. She went to', ends: [' bed.', ' war.', ' the moon.'] },
    { begin: 'Tom fell and hurt his knee. His mom gave him a', ends: [' hug.', ' whale.', ' bill.'] },
    { begin: 'It was raining outside. Sara took her', ends: [' umbrella.', ' sunglasses.', ' pillow.'] },
    { begin: 'The baby bird could not fly yet, so it stayed in the', ends: [' nest.', ' car.', ' sea.'] },
    {
      begin: 'Max wanted to reach the cookies on the high shelf. He climbed on a',
      ends: [' chair.', ' cloud.', ' fish.'],
    },
    { begin: 'Anna shared her toys with her friend. Her friend was', ends: [' happy.', ' angry.', ' green.'] },
    { begin: 'The little boat had a hole. It began to', ends: [' sink.', ' sing.', ' fly.'] },
    { begin: 'Grandma baked a cake. The kitchen smelled', ends: [' good.', ' loud.', ' cold.'] },
    { begin: 'Sam broke the vase. He told his mom that he was', ends: [' sorry.', ' hungry.', ' tall.'] },
    { begin: 'The snowman stood in the warm sun. Soon it', ends: [' melted.', ' grew.', ' danced.'] },
    { begin: 'Lucy was afraid of the loud thunder. She hid under the', ends: [' blanket.', ' rain.', ' song.'] },
    { begin: 'The rabbit saw the fox and', ends: [' ran away.', ' read a book.', ' cooked dinner.'] },
    { begin: 'It was his birthday. Everybody gave him', ends: [' presents.', ' homework.', ' stones.'] },
  ],
};
