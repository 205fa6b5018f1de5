import type { Task } from './task.js';

export const facts: Task = {
  name: 'facts',
  about: 'what everybody knows of the world',
  questions: [
    { begin: 'The capital of France is', ends: [' Paris.', ' Rome.', ' Berlin.', ' Madrid.'] },
    { begin: 'A week has', ends: [' seven days.', ' five days.', ' ten days.', ' nine days.'] },
    { begin: 'Ice is frozen', ends: [' water.', ' wood.', ' milk powder.', ' iron.'] },
    { begin: 'The sun rises in the', ends: [' east.', ' west.', ' north.', ' south.'] },
    { begin: 'A spider has', ends: [' eight legs.', ' six legs.', ' four legs.', ' two legs.'] },
    { begin: 'The largest ocean is the', ends: [' Pacific.', ' Atlantic.', ' Arctic.', ' Indian.'] },
    { begin: 'Two plus three is', ends: [' five.', ' six.', ' four.', ' nine.'] },
    { begin: 'Bees make', ends: [' honey.', ' milk.', ' silk.', ' salt.'] },
    { begin: 'The opposite of hot is', ends: [' cold.', ' warm.', ' dry.', ' fast.'] },
    { begin: 'Plants need light and', ends: [' water.', ' music.', ' glass.', ' coffee.'] },
    { begin: 'The Earth goes around the', ends: [' Sun.', ' Moon.', ' Mars.', ' North Pole.'] },
    { begin: 'A baby dog is called a', ends: [' puppy.', ' kitten.', ' calf.', ' lamb.'] },
    { begin: 'The first month of the year is', ends: [' January.', ' June.', ' March.', ' December.'] },
    { begin: 'Fish breathe with their', ends: [' gills.', ' fins.', ' ears.', ' tails.'] },
    { begin: 'The color of grass is', ends: [' green.', ' purple.', ' red.', ' black.'] },
    { begin: 'Penguins live near the', ends: [' South Pole.', ' equator only.', ' Sahara.', ' Alps.'] },
  ],
};
